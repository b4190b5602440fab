from __future__ import annotations

import asyncio
import json

import pytest
from front_end.command_line import bot
from front_end.questions import ask
from front_end.shell import Shell
from front_end.slack_bodies import CAST
from sealing import SEAL_KEY
from upkeep.whole_store import contents, traces

from harness_core import Store
from harness_core.models import Accepted, Submission


async def asked(store: Store, text: str = "hello", *, user: str = "U1", conversation: str = "C1") -> Accepted:
    submission = Submission(
        tenant=CAST.team,
        conversation=conversation,
        user=user,
        text=text,
        dedupe=(f"{conversation}-{text}",),
        target={},
    )
    accepted = await store.runs.accept(submission)
    assert isinstance(accepted, Accepted)
    return accepted


async def test_a_thread_is_deleted_and_what_went_is_printed(store: Store, environ: dict[str, str]) -> None:
    accepted = await asked(store, "canary-5512")
    other = await asked(store, conversation="C2")

    ended = await bot("data", "delete", "--thread", accepted.thread_id, "--yes", environ=environ)

    assert ended.status == 0, ended.err
    printed = dict(line.split() for line in ended.out.splitlines())
    assert (printed["threads"], printed["runs"]) == ("1", "1")
    assert "canary" not in ended.out + ended.err
    assert await traces(store, SEAL_KEY, "canary-5512", accepted.run_id) == {}
    assert (await store.runs.get(other.run_id)).run_id == other.run_id
    (first, last) = [json.loads(entry.data) for entry in await store.audit.read(CAST.team)]
    assert first["by"].startswith("shell:")
    assert (first["thread"], last["runs"]) == (accepted.thread_id, "1")


@pytest.mark.parametrize(("answer", "status"), [(None, 2), (False, 1)])
async def test_nothing_is_deleted_before_somebody_says_so(
    store: Store, shell: Shell, answer: bool | None, status: int
) -> None:
    accepted = await asked(store)
    before = await contents(store)

    ended = await shell("data", "delete", "--team", CAST.team, answer=answer)

    assert (ended.status, ended.out) == (status, "")
    assert "1 threads with 1 runs, of which 1 will be stopped" in ended.err
    assert "Nothing was deleted" in ended.err
    assert set(await contents(store)) == set(before)
    assert (await shell("data", "delete", "--thread", accepted.thread_id, answer=True)).status == 0


async def test_a_shell_without_a_terminal_is_never_asked(store: Store, environ: dict[str, str]) -> None:
    accepted = await asked(store)

    ended = await bot("data", "delete", "--thread", accepted.thread_id, environ=environ)

    assert ended.status == 2
    assert "Add --yes" in ended.err
    assert (await store.runs.get(accepted.run_id)).run_id == accepted.run_id


async def test_a_person_goes_with_what_others_were_answered_beside_them(store: Store, shell: Shell) -> None:
    await asked(store, user="U1")
    await asked(store, "me too", user="U2")
    kept = await asked(store, user="U2", conversation="C2")

    ended = await shell("data", "delete", "--user", "U1", "--team", CAST.team, answer=True)

    assert ended.status == 0
    assert "1 threads with 2 runs, of which others asked 1" in ended.err
    assert [run.run_id for run in (await store.lists.page(CAST.team)).items] == [kept.run_id]


@pytest.mark.parametrize(
    "options",
    [("--thread", "thread_x"), ("--user", "U404"), ("--team", "T404"), ("--user", "U1", "--team", "T4")],
)
async def test_what_is_not_there_is_not_found(store: Store, shell: Shell, options: tuple[str, ...]) -> None:
    await asked(store)

    ended = await shell("data", "delete", *options, "--yes")

    assert (ended.status, ended.out) == (3, "")
    assert ended.err.startswith("Nothing to delete: ")


@pytest.mark.parametrize("options", [(), ("--thread", "t", "--user", "u"), ("--thread", "t", "--team", "t")])
async def test_whose_data_must_be_said_once(shell: Shell, options: tuple[str, ...]) -> None:
    ended = await shell("data", "delete", *options, "--yes")

    assert ended.status == 2
    assert "Say whose data" in ended.err


async def test_lists_stay_as_they_were_when_logs_are_folded(store: Store, shell: Shell) -> None:
    approval = (await ask(store))[0]
    await store.upkeep.evict(CAST.team, approval.run_id, "U1")
    listed = [
        ("runs", "list", "--json"),
        ("runs", "show", approval.run_id, "--json"),
        ("approvals", "list", "--status", "all", "--json"),
    ]
    before = [await shell(*arguments) for arguments in listed]
    assert json.loads(before[1].out)["events"] > 5

    assert await store.events.fold(approval.run_id, lagging=True) == "folded"

    assert [await shell(*arguments) for arguments in listed] == before


async def test_two_deletions_at_once_are_one(store: Store, environ: dict[str, str]) -> None:
    accepted = await asked(store)
    both = await asyncio.gather(
        *(bot("data", "delete", "--thread", accepted.thread_id, "--yes", environ=environ) for _ in range(2))
    )

    assert {ended.status for ended in both} <= {0, 3}
    assert 0 in {ended.status for ended in both}
    assert set(await traces(store, SEAL_KEY, accepted.thread_id)) == {f"harness:{{p0}}:audit:{CAST.team}"}
