"""Whatever people do, they are answered the same with maintenance beside them as without."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from approvals.approval_office import ApprovalOffice, call
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sealing import SEAL
from upkeep.test_thinning_out import LONG, QUESTION
from waiting import wait_until

from harness_core.approvals import Approve, Reject
from harness_core.engine.maintenance import Maintenance
from harness_core.engine.runtimes import Runtimes
from harness_core.models import Upkept
from harness_core.store import Store

Step = Literal["say", "look", "approve", "reject", "crash", "crash while it waits", "cancel"]

STEPS: list[Step] = ["say", "look", "approve", "reject", "crash", "crash while it waits", "cancel"]

LEASE = 8.0

_numbers = itertools.count()


class Conversation:
    """One conversation, told step by step; ``pause`` returns after maintenance had its chance."""

    def __init__(self, office: ApprovalOffice, passes: list[Upkept] | None) -> None:
        self.office = office
        self.name = f"C{next(_numbers)}"
        self.answers: list[str] = []
        self._passes = passes
        self._worker = AsyncExitStack()

    async def tell(self, steps: Sequence[Step]) -> list[str]:
        await self._start()
        try:
            self.answers.append(await self._answer(await self._ask(LONG)))
            for number, step in enumerate(steps):
                self.answers.append(await self._take(step, number))
                await self.pause()
            self.answers.append(await self._answer(await self._ask(QUESTION)))
        finally:
            await self._worker.aclose()
        return self.answers

    async def pause(self) -> None:
        if self._passes is not None:
            passes, seen = self._passes, len(self._passes)
            await wait_until(lambda: len(passes) >= seen + 2, what="maintenance")

    async def _take(self, step: Step, number: int) -> str:
        service = f"{self.name}-{number}"
        match step:
            case "say":
                run_id = await self._ask(f'say "{number}"')
            case "look":
                run_id = await self._ask(f"{call('look', str(number))} then say 3 words")
            case "crash" | "cancel":
                self.office.hold(service)
                run_id = await self._ask(f"{call('look', service)} then say 2 words")
                await wait_until(lambda: any(row["service"] == service for row in self.office.ran("look")))
                await self.pause()
                if step == "cancel":
                    await self.office.store.runs.cancel(run_id, "U1")
                    await self.office.ended(
                        run_id
                    )  # before the tool goes on, or it would depend on who is faster
                else:
                    await self._crash()
                self.office.let_go(service)
            case "approve" | "reject" | "crash while it waits":
                run_id = await self._ask(call("restart", str(number)))
                question = await self.office.question(run_id)
                await self.office.parked(run_id)
                await self.pause()
                if step == "crash while it waits":
                    await self._crash()
                await self.office.decide(question, Reject(reason="no") if step == "reject" else Approve())
        return (await self._answer(run_id)).replace(service, "it")

    async def _ask(self, text: str) -> str:
        return await self.office.ask(text, conversation=self.name, name=f"n{next(_numbers)}")

    async def _answer(self, run_id: str) -> str:
        run = await self.office.ended(run_id)
        return f"{run.state}: {await self.office.store.runs.output(run_id)}".replace(self.name, "C")

    async def _start(self) -> None:
        await self._worker.enter_async_context(self.office.worker(f"w{next(_numbers)}"))

    async def _crash(self) -> None:
        await self._worker.aclose()
        await self.office.later(LEASE + 0.5)
        await self._start()


@asynccontextmanager
async def maintained(office: ApprovalOffice, passes: list[Upkept]) -> AsyncIterator[None]:
    """Pass after pass, without a pause, down to a single checkpoint."""
    holder = office.holder
    runtimes = Runtimes(office.store, holder, SEAL)
    keeper = Maintenance(office.store, holder, runtimes, worker="keeper", told=passes.append)

    async def loop() -> None:
        while True:
            await keeper.sweep()

    sweeping = asyncio.create_task(loop())
    try:
        yield
        assert not sweeping.done(), "maintenance failed"
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await runtimes.aclose()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    return tmp_path


PLAN = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None, print_blob=True
)
CONVERSATIONS = given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=4))


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("short_chains")
@settings(PLAN, phases=[Phase.explicit])
@example(steps=["look", "crash while it waits", "crash", "reject"])
@CONVERSATIONS
def test_maintenance_beside_runs_changes_no_answer(steps: list[Step], folder: Path, redis_url: str) -> None:
    asyncio.run(told_twice_alike(steps, folder, redis_url))


@pytest.mark.soak
@pytest.mark.usefixtures("short_chains")
@settings(PLAN, max_examples=60)
@CONVERSATIONS
def test_maintenance_beside_sixty_conversations_changes_no_answer(
    steps: list[Step], folder: Path, redis_url: str
) -> None:
    asyncio.run(told_twice_alike(steps, folder, redis_url))


async def told_twice_alike(steps: list[Step], folder: Path, redis_url: str) -> None:
    """The conversation undisturbed, then with maintenance beside it."""
    store = await Store.open(redis_url, seal=SEAL)
    try:
        office = ApprovalOffice.write(folder, store)
        file = folder / "workspace.yaml"
        text = file.read_text(encoding="utf-8")
        patient = text.replace("lease: 2s", f"lease: {LEASE:g}s")  # so that a busy machine loses none
        file.write_text(
            patient.replace(
                "kind: Runtime", "kind: Runtime\nmaintenance: {keep_checkpoints: 1, every: 10d}", 1
            )
        )
        alone = await Conversation(office, None).tell(steps)
        passes: list[Upkept] = []
        async with maintained(office, passes):
            beside = await Conversation(office, passes).tell(steps)
        assert beside == alone
        assert sum(each.checkpoints for each in passes) > 0
        assert sum(each.folded for each in passes) == 0, "nobody has shown these yet"
    finally:
        await store.close()
