"""What people are asked about a call, and what they may change of it."""

from __future__ import annotations

import pytest
from approvals.approval_office import TENANT, ApprovalOffice, call

from harness_core import RunState
from harness_core.approvals import (
    Invalid,
    Revised,
    Stale,
    Won,
)
from harness_core.events import (
    ApprovalRequested,
    ApprovalRevised,
    StepStarted,
)


async def test_the_question_shows_what_will_be_passed_defaults_included_and_no_secret(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        run_id = await office.ask(
            'say "I will restart it." & ' + call("restart", password="hunter22-and-more")
        )
        asked = await office.question(run_id)

    assert asked.asked.arguments == {
        "service": "web",
        "env": "prod",
        "count": 1,
        "password": "hunter22-and-more",
    }
    assert asked.asked.title == "Restart web in prod"
    assert asked.asked.preview == "1 of web go down in prod. •••"
    assert asked.asked.reason == "I will restart it."
    assert asked.asked.destructive
    assert asked.asked.schema["properties"]["env"]["enum"] == ["prod", "staging"]
    assert (asked.rule.users, asked.requester, asked.channel, asked.agent) == (
        ("U2", "U3"),
        "U1",
        None,
        "ops",
    )
    (event,) = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, ApprovalRequested)
    ]
    assert "hunter22" not in repr(event)
    assert event.expire_after == 3_600_000
    for key in await office.store.client.keys("*"):
        if await office.store.client.type(key) == b"hash":
            assert b"hunter22" not in b"".join((await office.store.client.hgetall(key)).values())


async def test_changed_arguments_are_what_runs_and_earlier_votes_are_void(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart", password="hunter22-and-more"))
        asked = await office.question(run_id)
        changed = {"service": "db", "env": "staging", "count": 2}
        revised = await office.approvals.revise(
            TENANT, asked.approval_id, changed, revision=0, by="U1", source="modal"
        )

        assert isinstance(revised, Revised)
        assert [(each.argument, each.before, each.after) for each in revised.changes] == [
            ("service", "web", "db"), ("env", "prod", "staging"), ("count", 1, 2),
        ]  # fmt: skip
        assert revised.approval.digest != asked.digest
        assert revised.approval.asked.preview == "2 of db go down in staging. •••"
        assert isinstance(await office.decide(asked, revision=0), Stale)
        assert isinstance(await office.decide(asked, revision=1), Won)
        await office.ended(run_id)

    (row,) = office.ran("restart")
    assert (row["service"], row["env"], row["count"]) == ("db", "staging", 2)
    output = await office.store.runs.output(run_id) or ""
    assert "A person changed the arguments" in output
    assert "hunter22" not in output
    events = [each.payload for each in await office.store.events.read(run_id)]
    assert [each.by for each in events if isinstance(each, ApprovalRevised)] == ["U1"]
    assert [each.label for each in events if isinstance(each, StepStarted) and each.kind == "tool"] == [
        "Restarting db"
    ]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"service": "db", "env": "moon", "count": 1}, "env"),
        ({"service": "db", "env": "prod", "count": "many"}, "count"),
        ({"env": "prod", "count": 1}, "service"),
        ({"service": "db", "env": "prod", "count": 1, "force": True}, "force"),
    ],
)
async def test_changed_arguments_that_the_tool_would_not_take_are_refused_by_name(
    office: ApprovalOffice, arguments: dict[str, object], argument: str
) -> None:
    async with office.worker():
        asked = await office.question(await office.ask(call("restart")))
        outcome = await office.approvals.revise(
            TENANT, asked.approval_id, arguments, revision=0, by="U2", source="modal"
        )

    assert isinstance(outcome, Invalid)
    assert [each.argument for each in outcome.errors] == [argument]
    assert (await office.approvals.get(TENANT, asked.approval_id)).revision == 0


async def test_an_exception_lets_just_the_named_value_through(office: ApprovalOffice) -> None:
    async with office.worker():
        free = await office.ask(call("toggle", env="staging"), conversation="C1")
        assert (await office.ended(free)).state is RunState.COMPLETED
        await office.question(await office.ask(call("toggle"), conversation="C2"))

    assert [row["env"] for row in office.ran("toggle")] == ["staging"]


async def test_an_argument_that_was_emptied_gets_its_default_before_people_see_the_change(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart", env="staging", password="hunter22-and-more"))
        asked = await office.question(run_id)
        revised = await office.approvals.revise(
            TENANT, asked.approval_id, {"service": "web"}, revision=0, by="U2", source="modal"
        )

        assert isinstance(revised, Revised)
        assert [(each.argument, each.before, each.after) for each in revised.changes] == [
            ("env", "staging", "prod")
        ]
        assert revised.approval.asked.arguments == {
            "service": "web",
            "env": "prod",
            "count": 1,
            "password": "hunter22-and-more",
        }
        assert revised.approval.asked.title == "Restart web in prod"
        assert revised.approval.asked.preview == "1 of web go down in prod. •••"
        assert isinstance(await office.decide(asked, revision=1), Won)
        await office.ended(run_id)

    (row,) = office.ran("restart")
    assert (row["env"], row["count"]) == ("prod", 1)
