"""What a question differs in from the call of the same tool that people of the channel approved last."""

from __future__ import annotations

from approvals.approval_office import TENANT, ApprovalOffice, call

from bot.delivery.comparing import compared_with_last
from bot.view.questions import Edit
from harness_core.approvals import Reject
from harness_core.models import Accepted, Submission
from harness_core.redaction import MASK


async def ask(office: ApprovalOffice, text: str, name: str, channel: str = "C1") -> str:
    submission = Submission(
        tenant=TENANT, conversation=f"{channel}:{name}", user="U1", text=text, channel=channel, dedupe=(name,), target={}
    )  # fmt: skip
    accepted = await office.store.runs.accept(submission)
    assert isinstance(accepted, Accepted)
    return accepted.run_id


async def compared(office: ApprovalOffice, run_id: str) -> Edit | None:
    return await compared_with_last(office.store, TENANT, (await office.question(run_id)).approval_id)


async def approved(office: ApprovalOffice, name: str, channel: str = "C1", **arguments: str) -> None:
    run_id = await ask(office, call("restart", **arguments), name, channel)
    await office.decide(await office.question(run_id))
    await office.ended(run_id)


async def test_it_is_compared_with_the_last_approved_call_and_not_with_a_rejected_one(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        first = await ask(office, call("restart", env="staging"), "first")
        assert await compared(office, first) is None
        await office.decide(await office.question(first))
        await office.ended(first)
        rejected = await ask(office, call("restart", service="db", env="staging"), "rejected")
        await office.decide(await office.question(rejected), Reject(reason="no"))
        await office.ended(rejected)

        last = await compared(office, await ask(office, call("restart"), "second"))

    assert last is not None
    assert last.by == "U2"
    assert last.changes == (("env", "staging", "prod"),)


async def test_what_was_asked_in_another_channel_or_of_another_tool_is_not_told(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        await approved(office, "elsewhere", "C9")
        assert await compared(office, await ask(office, call("restart"), "here")) is None
        await approved(office, "there")
        assert await compared(office, await ask(office, call("toggle"), "other")) is None


async def test_of_secret_arguments_only_that_they_differ_is_told(office: ApprovalOffice) -> None:
    async with office.worker():
        await approved(office, "first", password="one")
        last = await compared(office, await ask(office, call("restart", password="two"), "second"))
    assert last is not None
    assert last.changes == (("password", MASK, MASK),)


async def test_a_call_that_is_no_longer_stored_is_not_compared_with(office: ApprovalOffice) -> None:
    async with office.worker():
        await approved(office, "first", env="staging")
        (gone,) = (await office.store.lists.page(TENANT, limit=10)).items
        assert (await office.store.upkeep.forget_runs(TENANT, [gone.run_id])).runs == 1
        assert await office.store.client.keys("harness:*:approved") == []
        assert await compared(office, await ask(office, call("restart"), "second")) is None
