"""What a grant lets through, and what is asked about all the same."""

from __future__ import annotations

import json
import sys

import pytest
from approvals.approval_office import TENANT, call
from grants.granting_office import POLICY, GrantingOffice

from harness_core import verify_chain
from harness_core.approvals import NotGrantable, Stale, Won
from harness_core.events import ApprovalDecided, ApprovalRequested
from harness_core.models import Submission

WEB = call("restart", env="staging")

TWIN = """
---
kind: Tool
name: flip
python: approval_tools:toggle
approval: always
idempotent: true
"""


async def test_what_was_granted_runs_without_a_question_so_often_and_is_asked_about_then(
    office: GrantingOffice,
) -> None:
    async with office.worker():
        grant = await office.granted(WEB)
        assert (grant.used, grant.left, grant.given_by) == (0, 2, "U2")
        first, second = await office.passes(WEB), await office.passes(WEB)
        await office.asks(WEB)

    assert [(each.used, each.times, each.by, each.grant) for each in (first, second)] == [
        (1, 2, "U2", grant.grant_id),
        (2, 2, "U2", grant.grant_id),
    ]
    assert len(office.ran("restart")) == 3
    assert await office.all_grants() == []
    spent = await office.approvals.grant(TENANT, grant.grant_id)
    assert spent.state_at(grant.given_at) == "used up"


async def test_every_use_is_a_link_of_the_audit_chain_that_names_who_granted_what(
    office: GrantingOffice,
) -> None:
    async with office.worker():
        grant = await office.granted(WEB)
        await office.passes(WEB)
    await office.approvals.revoke(TENANT, grant.grant_id, by="U3", source="list")

    entries = await office.approvals.audit(TENANT)
    assert verify_chain(entries) is None
    facts = [json.loads(each.data) for each in entries]
    granted, used, revoked = [each for each in facts if "grant" in each]
    assert (granted["what"], granted["by"], granted["source"]) == ("granted", "U2", "message")
    assert (granted["approval"], granted["times"]) == (grant.approval.approval_id, 2)
    assert (used["what"], used["by"], used["tool"], used["used"]) == ("grant.used", "U2", "restart", 1)
    assert len(used["call"]) == 64
    assert (revoked["what"], revoked["by"]) == ("grant.revoked", "U3")
    assert {each["grant"] for each in (granted, used, revoked)} == {grant.grant_id}


async def test_a_question_says_what_may_be_granted_and_the_decision_what_was(office: GrantingOffice) -> None:
    async with office.worker():
        run_id = await office.say(WEB)
        asked = await office.question(run_id)
        await office.give(asked)
        await office.ended(run_id)
        grant = await office.grant_of(asked)

    payloads = [each.payload for each in await office.store.events.read(run_id)]
    (requested,) = [each for each in payloads if isinstance(each, ApprovalRequested)]
    assert requested.grants == {"lasts": 3_600_000, "times": 2, "same": None}
    (decided,) = [each for each in payloads if isinstance(each, ApprovalDecided)]
    assert decided.grant == grant.grant_id


async def test_without_a_rule_that_allows_it_nothing_is_granted_and_nothing_decided(
    office: GrantingOffice,
) -> None:
    office.write_policy("")
    async with office.worker():
        asked = await office.question(await office.say(WEB))
        assert asked.grants is None
        assert await office.give(asked) == NotGrantable()
        assert (await office.approvals.get(TENANT, asked.approval_id)).state == "open"


async def test_where_two_people_have_to_approve_one_of_them_grants_nothing(office: GrantingOffice) -> None:
    office.write_policy(POLICY.replace("restart: {", "restart: {quorum: 2, "))
    async with office.worker():
        asked = await office.question(await office.say(WEB))
        assert (asked.quorum, asked.grants) == (2, None)
        assert await office.give(asked) == NotGrantable()
        assert (await office.approvals.get(TENANT, asked.approval_id)).votes == ()


async def test_a_grant_ends_by_the_stores_clock(office: GrantingOffice) -> None:
    async with office.worker():
        grant = await office.granted(WEB)
        await office.later(3590)
        assert (await office.passes(WEB)).used == 1
        await office.later(11)
        await office.asks(WEB)

    assert await office.all_grants() == []
    over = await office.approvals.grant(TENANT, grant.grant_id)
    assert over.state_at(await office.store.now()) == "expired"


@pytest.mark.parametrize(
    "other",
    [
        call("restart", env="prod"),
        call("restart", "db", env="staging"),
        call("restart", env="staging", count=2),
        call("restart", env="staging", password="hunter2"),
    ],
)
async def test_other_arguments_are_asked_about(office: GrantingOffice, other: str) -> None:
    async with office.worker():
        grant = await office.granted(WEB)
        await office.asks(other)
        assert (await office.passes(call("restart", env="staging", count=1))).grant == grant.grant_id


async def test_another_thread_another_person_and_another_tool_are_asked_about(office: GrantingOffice) -> None:
    async with office.worker():
        await office.granted(WEB)
        await office.asks(WEB, conversation="C2")
        await office.asks(WEB, user="U5")
        await office.asks(call("toggle"))

    (grant,) = await office.all_grants()
    assert grant.used == 0


async def test_a_conversation_that_begins_again_has_no_grants(office: GrantingOffice) -> None:
    async with office.worker():
        grant = await office.granted(WEB)
        await office.control.start_anew(TENANT, "C1", by="U1", names=("anew",))
        assert await office.all_grants() == []
        await office.asks(WEB)

    over = await office.approvals.grant(TENANT, grant.grant_id)
    assert over.state_at(await office.store.now()) == "expired"


async def test_a_run_that_somebody_else_steered_is_asked_about(office: GrantingOffice) -> None:
    office.hold("slow")
    async with office.worker():
        await office.granted(WEB)
        run_id = await office.say(f"{call('look', 'slow')} then {WEB}")
        await office.began("look")
        steering = Submission(
            tenant=TENANT, conversation="C1", user="U5", text=WEB, dedupe=("steer",), target={}, while_running="steer"
        )  # fmt: skip
        await office.store.runs.accept(steering)
        office.let_go("slow")
        asked = await office.question(run_id)

    assert asked.also_asked == ("U5",)
    (grant,) = await office.all_grants()
    assert grant.used == 0


async def test_what_is_granted_after_an_edit_is_what_was_approved(office: GrantingOffice) -> None:
    edited = {"service": "web", "env": "staging", "count": 3, "password": ""}
    async with office.worker():
        run_id = await office.say(WEB)
        asked = await office.question(run_id)
        await office.approvals.revise(
            TENANT, asked.approval_id, edited, revision=0, by="U2", source="message"
        )
        assert await office.give(asked, revision=0) == Stale(revision=1)
        assert await office.all_grants() == []
        assert isinstance(await office.give(asked, revision=1), Won)
        await office.ended(run_id)
        await office.asks(WEB)
        assert (await office.passes(call("restart", env="staging", count=3))).used == 1


async def test_choices_have_to_be_the_same_and_the_rest_is_free_where_the_rule_says_so(
    office: GrantingOffice,
) -> None:
    async with office.worker():
        grant = await office.granted(call("toggle", "web", env="prod"))
        assert grant.terms.same == ("env",)
        assert (await office.passes(call("toggle", "db", env="prod"))).grant == grant.grant_id
        run_id = await office.say(call("toggle", "db", env="staging"))
        await office.ended(run_id)

    assert await office.approvals.of_run(run_id) == (), "the tool asks nobody about staging"
    (left,) = await office.all_grants()
    assert left.used == 1, "and so it took nothing from the grant"


async def test_a_secret_value_has_to_be_the_same_and_is_nowhere_in_the_clear(office: GrantingOffice) -> None:
    secret = call("restart", env="staging", password="hunter2-hunter2")
    async with office.worker():
        await office.granted(secret)
        await office.asks(WEB)
        await office.passes(secret)

    async for key in office.store.client.scan_iter(match="*grant*"):
        kind = (await office.store.client.type(key)).decode()
        held = await office.store.client.hgetall(key) if kind == "hash" else {}
        assert b"hunter2" not in repr(held).encode()


async def test_a_secret_value_has_to_be_the_same_also_where_the_rest_is_free(office: GrantingOffice) -> None:
    office.write_policy(POLICY.replace("times: 2}}", "times: 2, arguments: choices}}", 1))
    async with office.worker():
        grant = await office.granted(call("restart", env="staging", password="hunter2-hunter2"))
        assert grant.terms.same == ("env", "password")
        await office.asks(call("restart", env="staging", password="another"))
        await office.asks(WEB)
        used = await office.passes(call("restart", "db", env="staging", count=9, password="hunter2-hunter2"))

    assert used.grant == grant.grant_id


@pytest.mark.parametrize(
    "policy",
    [
        POLICY.replace("restart: {", "restart: {use: deny, "),
        POLICY.replace("restart: {", "restart: {approvers: {users: [U2]}, "),
        POLICY.replace(
            "restart: {grants: {allowed: true, for: 1h", "restart: {grants: {allowed: true, for: 30m"
        ),
        "",
    ],
    ids=["refused now", "other approvers", "other terms", "no grants any more"],
)
async def test_a_policy_that_changed_ends_the_grant(office: GrantingOffice, policy: str) -> None:
    async with office.worker("w1"):
        await office.granted(WEB)
    office.write_policy(policy)
    async with office.worker("w2"):
        run_id = await office.say(WEB)
        if "deny" in policy:
            await office.ended(run_id)
            assert "does not allow" in (await office.store.runs.output(run_id) or "")
        else:
            await office.question(run_id)

    assert len(office.ran("restart")) == 1


async def test_an_agent_that_is_told_something_else_by_now_has_no_grants(office: GrantingOffice) -> None:
    async with office.worker("w1"):
        await office.granted(WEB)
    path = office.folder / "workspace.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("tools: [restart,", "instructions: Be bold.\ntools: [restart,"), encoding="utf-8"
    )
    async with office.worker("w2"):
        await office.asks(WEB)


async def test_another_tool_that_takes_the_same_is_asked_about(office: GrantingOffice) -> None:
    path = office.folder / "workspace.yaml"
    text = path.read_text(encoding="utf-8").replace("tools: [restart,", "tools: [flip, restart,")
    path.write_text(text + TWIN, encoding="utf-8")
    office.write_policy(POLICY.replace("toggle:", '"*":'))
    async with office.worker():
        grant = await office.granted(call("toggle"))
        await office.asks(call("flip"))
        assert (await office.passes(call("toggle"))).grant == grant.grant_id


async def test_a_tool_that_takes_something_else_by_now_is_asked_about(
    office: GrantingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office.worker("w1"):
        await office.granted(WEB)
    tools = office.folder / "approval_tools.py"
    code = tools.read_text(encoding="utf-8")
    tools.write_text(code.replace("count: int = 1, password", "count: float = 1, password"), encoding="utf-8")
    monkeypatch.delitem(sys.modules, "approval_tools")
    async with office.worker("w2"):
        await office.asks(WEB)
