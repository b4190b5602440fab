from __future__ import annotations

from typing import TYPE_CHECKING

from harness_core.events import RunQueued, StateChanged, Unknown, decode_payload

if TYPE_CHECKING:
    from engine.conftest import Office


async def test_the_log_of_a_run_tells_its_states_in_order(office: Office) -> None:
    run_id = await office.ask('call look_up {"name": "ada"} then say 2 words')
    async with office.worker():
        await office.ended(run_id)

    events = [each.payload for each in await office.store.events.read(run_id)]
    assert [each.name for each in events if each.name != "output.delta"] == [
        "run.created",
        "run.queued",
        "run.state.changed",
        "run.started",
        "run.routed",
        "step.started",
        "step.completed",
        "tool.called",
        "step.started",
        "step.completed",
        "tool.result",
        "step.started",
        "step.completed",
        "run.state.changed",
        "run.completed",
    ]
    assert [each for each in events if isinstance(each, StateChanged)] == [
        StateChanged(source="queued", target="running"),
        StateChanged(source="running", target="completed"),
    ]


def test_what_a_newer_release_writes_is_read_as_unknown_or_without_its_new_fields() -> None:
    assert decode_payload("run.teleported", b'{"to":"Mars"}') == Unknown(
        original="run.teleported", data={"to": "Mars"}
    )
    assert decode_payload("run.queued", b'{"position":3,"mood":"calm"}') == RunQueued(position=3)
