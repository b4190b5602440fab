from __future__ import annotations

import json

import pytest
from front_end.command_line import Ended, bot
from front_end.questions import ask, question
from front_end.shell import Shell, rows
from front_end.slack_bodies import CAST

from bot.command_line import build_parser
from bot.commands.argument_values import NotReadable, read_assignments
from harness_core import Store
from harness_core.approvals import Asked, GrantTerms

MISSING = f"appr_{15:032x}"


async def test_the_list_is_an_object_per_line_on_standard_output_alone(
    store: Store, environ: dict[str, str]
) -> None:
    older = (await ask(store))[0]
    newer = (await ask(store))[0]
    listed = await bot("approvals", "list", "--json", environ=environ)
    assert (listed.status, listed.err) == (0, "")
    first, second = rows(listed)
    assert [first["approval_id"], second["approval_id"]] == [newer.approval_id, older.approval_id]
    for name in ("run_id", "state", "agent", "thread_id", "user", "created_at"):
        assert first[name]
    assert first["arguments"] == {"service": "checkout", "count": 1}


async def test_the_list_shows_open_ones_unless_asked_for_all(store: Store, shell: Shell) -> None:
    asked, other = (await ask(store))[0], (await ask(store))[0]
    await shell("approvals", "reject", asked.approval_id)
    assert [row["approval_id"] for row in rows(await shell("approvals", "list", "--json"))] == [
        other.approval_id
    ]
    everything = rows(await shell("approvals", "list", "--json", "--status", "all"))
    assert {row["approval_id"]: row["state"] for row in everything} == {
        asked.approval_id: "decided",
        other.approval_id: "open",
    }
    assert len(rows(await shell("approvals", "list", "--json", "--status", "all", "--limit", "1"))) == 1


async def test_without_approvals_people_read_so_and_scripts_read_nothing(shell: Shell) -> None:
    assert await shell("approvals", "list") == Ended(status=0, out="No open approvals.\n", err="")
    assert await shell("approvals", "list", "--json") == Ended(status=0, out="", err="")


async def test_a_secret_argument_is_in_no_output(store: Store, shell: Shell) -> None:
    asked = question().asked
    secret = Asked(
        title=asked.title,
        label=asked.label,
        arguments={"service": "checkout", "password": "hunter2hunter2"},
        schema={"properties": {"password": {"type": "string"}, "service": {"type": "string"}}},
        secret=("password",),
    )
    about = (await ask(store, asked=secret))[0]
    outputs = [
        await shell("approvals", "list", "--json"),
        await shell("approvals", "edit", about.approval_id, "service=billing"),
        await shell("approvals", "approve", about.approval_id),
    ]
    assert [each.status for each in outputs] == [0, 0, 0]
    assert not any("hunter2" in each.out + each.err for each in outputs)
    kept = (await store.approvals.get(CAST.team, about.approval_id)).asked.arguments
    assert kept == {"service": "billing", "password": "hunter2hunter2"}


HOSTILE = "api\x1b[2K\rRestart staging\u202e\x9b1m\x7f"


async def test_nothing_that_a_model_wrote_acts_on_the_terminal(store: Store, shell: Shell) -> None:
    plain = question().asked
    hostile = Asked(
        title=f"Restart {HOSTILE}",
        label=plain.label,
        arguments={"service": HOSTILE, "note": "first\n  env: staging"},
        schema={"properties": {"service": {"type": "string"}, "note": {"type": "string"}}},
    )
    about = (await ask(store, asked=hostile))[0]
    listed = await shell("approvals", "list")
    row, *arguments = listed.out.splitlines()
    assert "Restart api\\u001b[2K Restart staging\\u202e" in row
    assert arguments == [
        '  note: "first\\n  env: staging"',
        '  service: "api\\u001b[2K\\rRestart staging\\u202e\\u009b1m\\u007f"',
    ]
    as_json = await shell("approvals", "list", "--json")
    assert rows(as_json)[0]["arguments"]["service"] == HOSTILE, "programs read what it is"
    outputs = [
        listed,
        as_json,
        await shell("approvals", "edit", about.approval_id, f"service={HOSTILE}!"),
        await shell("approvals", "edit", about.approval_id, f"{HOSTILE}=1"),
        await shell("approvals", "reject", about.approval_id),
        await shell("approvals", "approve", about.approval_id),
    ]
    said = "".join(each.out + each.err for each in outputs).replace("\n", "")
    assert said.isprintable()


async def test_an_operator_needs_no_rule_counts_once_and_is_recorded_by_login(
    store: Store, shell: Shell
) -> None:
    asked = (await ask(store, quorum=2))[0]
    first = await shell("approvals", "approve", asked.approval_id)
    assert (first.status, "1 of 2" in first.out) == (0, True)
    again = await shell("approvals", "approve", asked.approval_id)
    assert (again.status, "counted before" in again.out) == (0, True)
    found = await store.approvals.get(CAST.team, asked.approval_id)
    assert found.state == "open"
    assert [vote.by.startswith("shell:") for vote in found.votes] == [True]


async def test_a_decision_is_told_and_a_second_one_says_who_was_first(store: Store, shell: Shell) -> None:
    asked = (await ask(store))[0]
    done = await shell("approvals", "reject", asked.approval_id, "--reason", "not today")
    assert done.status == 0
    assert f"{asked.approval_id} is rejected" in done.out
    found = await store.approvals.get(CAST.team, asked.approval_id)
    assert (found.decision, found.reason) == ("reject", "not today")
    late = await shell("approvals", "approve", asked.approval_id)
    assert (late.status, late.out) == (1, "")
    assert "already rejected by shell:" in late.err


async def test_an_edit_makes_a_revision_and_approves_nothing(store: Store, shell: Shell) -> None:
    asked = (await ask(store))[0]
    edited = await shell("approvals", "edit", asked.approval_id, "count=2", "service=billing")
    assert edited.status == 0
    assert 'service: "checkout" → "billing"' in edited.out
    assert "count: 1 → 2" in edited.out
    found = await store.approvals.get(CAST.team, asked.approval_id)
    assert (found.state, found.revision) == ("open", asked.revision + 1)
    assert found.asked.arguments == {"service": "billing", "count": 2}
    stale = await shell("approvals", "approve", asked.approval_id, "--revision", str(asked.revision))
    assert (stale.status, "look at it again" in stale.err) == (1, True)
    whole = await shell("approvals", "edit", asked.approval_id, "--json", '{"service": "cart"}')
    assert whole.status == 0
    assert (await store.approvals.get(CAST.team, asked.approval_id)).asked.arguments == {"service": "cart"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [("count=many", "count: the value is not"), ("env=moon", "env: the value"), ("sevrice=x", "sevrice")],
)
async def test_an_edit_that_does_not_fit_is_refused_by_name_and_changes_nothing(
    store: Store, shell: Shell, change: str, complaint: str
) -> None:
    closed = {**question().asked.schema, "additionalProperties": False}
    asked = Asked(title="t", label="l", arguments={"service": "checkout"}, schema=closed)
    about = (await ask(store, asked=asked))[0]
    refused = await shell("approvals", "edit", about.approval_id, change)
    assert (refused.status, refused.out) == (1, "")
    assert complaint in refused.err
    assert (await store.approvals.get(CAST.team, about.approval_id)).revision == about.revision


async def test_an_uncertain_call_is_answered_with_its_own_verbs(store: Store, shell: Shell) -> None:
    for verb, said in (
        ("done", "confirmed as done"),
        ("again", "released to run again"),
        ("skip", "skipped"),
    ):
        asked = (await ask(store, kind="uncertain"))[0]
        wrong = await shell("approvals", "approve", asked.approval_id)
        assert (wrong.status, "done, again or skip" in wrong.err) == (1, True)
        answered = await shell("approvals", verb, asked.approval_id)
        assert (answered.status, said in answered.out) == (0, True)
        assert (await store.approvals.get(CAST.team, asked.approval_id)).decision == verb


async def test_what_is_over_cannot_be_decided(store: Store, shell: Shell) -> None:
    asked = (await ask(store))[0]
    await store.runs.cancel(asked.run_id, CAST.requester)
    refused = await shell("approvals", "approve", asked.approval_id)
    assert (refused.status, "cancelled" in refused.err) == (1, True)


@pytest.mark.parametrize("verb", ["approve", "reject", "done", "again", "skip", "edit"])
async def test_exit_status_3_is_for_an_approval_that_is_not_there(shell: Shell, verb: str) -> None:
    more = ("service=x",) if verb == "edit" else ()
    missing = await shell("approvals", verb, MISSING, *more)
    assert (missing.status, missing.out) == (3, "")
    assert MISSING in missing.err


async def test_an_edit_without_a_change_or_with_two_kinds_is_wrong_usage(shell: Shell) -> None:
    assert (await shell("approvals", "edit", MISSING)).status == 2
    assert (await shell("approvals", "edit", MISSING, "a=1", "--json", "{}")).status == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["approvals"],
        ["approvals", "list", "--status", "asleep"],
        ["approvals", "edit", MISSING, "no-equals"],
        ["approvals", "edit", MISSING, "--json", "[]"],
        ["audit"],
        ["audit", "export", "--since", "x"],
    ],
)
def test_exit_status_2_is_for_wrong_usage_of_approvals(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(arguments)
    assert ended.value.code == 2


SCHEMA = {
    "properties": {
        "text": {"type": "string"},
        "number": {"type": "integer"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "choice": {"$ref": "#/$defs/Choice"},
        "hosts": {"type": "array", "items": {"type": "string"}},
        "anything": {},
    },
    "$defs": {"Choice": {"enum": ["a", 1]}},
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "2", "2"),
        ("text", '"quoted"', "quoted"),
        ("number", "2", 2),
        ("maybe", "null", None),
        ("maybe", "x", "x"),
        ("either", "2", 2),
        ("choice", "1", 1),
        ("choice", "a", "a"),
        ("hosts", '["a"]', ["a"]),
        ("anything", "{}", {}),
        ("anything", "word", "word"),
        ("unknown", "3", 3),
    ],
)
def test_a_value_is_what_the_schema_takes(name: str, text: str, value: object) -> None:
    assert read_assignments(SCHEMA, [(name, text)]) == {name: value}


def test_a_value_that_fits_in_no_way_is_refused_without_repeating_it() -> None:
    with pytest.raises(NotReadable, match="number") as raised:
        read_assignments(SCHEMA, [("number", "hunter2")])
    assert "hunter2" not in str(raised.value)


async def test_a_grant_is_given_listed_and_revoked_once(store: Store, shell: Shell) -> None:
    terms = GrantTerms(lasts=3_600_000, times=5, same=("service", "password"))
    secret = Asked(
        title="Restart", label="Restarting", secret=("password",),
        arguments={"service": "checkout", "count": 1, "password": "hunter2"},
    )  # fmt: skip
    asked = (await ask(store, grants=terms, asked=secret))[0]
    given = await shell("approvals", "approve", asked.approval_id, "--grant")
    (_, said) = given.out.splitlines()
    grant = said.split()[0]
    assert said.endswith("lets calls like it run. `approvals grants` says how often.")

    (row,) = rows(await shell("approvals", "grants", "--json"))
    assert (row["grant_id"], row["tool"], row["exactly"]) == (grant, "restart", False)
    assert row["arguments"] == {"service": "checkout", "password": "•••"}
    assert (row["used"], row["times"], row["users"]) == (0, 5, [CAST.requester])
    assert row["given_by"].startswith("shell:")
    listed = (await shell("approvals", "grants")).out
    assert "5 of 5 left" in listed
    assert listed.rstrip().endswith("and any others")
    assert "hunter2" not in listed + json.dumps(row)

    revoked = await shell("approvals", "revoke", grant)
    assert (revoked.status, revoked.out) == (0, f"{grant} is revoked. Such calls are asked about again.\n")
    again = await shell("approvals", "revoke", grant)
    assert again.status == 1
    assert "was already revoked by shell:" in again.err
    assert (await shell("approvals", "grants")).out == "No grants.\n"
    assert (await shell("approvals", "revoke", MISSING)).status == 3


async def test_a_grant_that_no_rule_allows_is_not_given_and_nothing_is_decided(
    store: Store, shell: Shell
) -> None:
    asked = (await ask(store))[0]
    refused = await shell("approvals", "approve", asked.approval_id, "--grant")
    assert refused.status == 1
    assert "allows no grant: approve it without one. Nothing was changed." in refused.err
    assert (await store.approvals.get(asked.tenant, asked.approval_id)).state == "open"
