"""Two processes, each with a harness of its own, resume one approval in the same instant."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from approvals.approval_office import ApprovalOffice, call

HERE = Path(__file__).parent
ROUNDS = 5
PEOPLE = ("U2", "U3")


class Decider:
    """A process and its two pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._to, self._of = process, process.stdin, process.stdout

    async def line(self) -> str:
        line = await asyncio.wait_for(self._of.readline(), 60)
        assert line, "the process ended"
        return line.decode().strip()

    def tell(self, approval_id: str) -> None:
        self._to.write(f"{approval_id}\n".encode())

    async def close(self) -> None:
        self._to.close()
        assert await asyncio.wait_for(self.process.wait(), 60) == 0


@asynccontextmanager
async def deciders(url: str, office: ApprovalOffice) -> AsyncIterator[list[Decider]]:
    started: list[Decider] = []
    try:
        for person in PEOPLE:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(HERE / "resuming_process.py"), url, str(office.folder), person,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env={"PYTHONPATH": f"{HERE.parents[1]}:{office.folder}", "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
            started.append(Decider(process))
        for each in started:
            assert await each.line() == "ready"
        yield started
        for each in started:
            await each.close()
    finally:
        for each in started:
            if each.process.returncode is None:
                each.process.kill()
                await each.process.wait()


async def test_the_call_runs_once_and_the_other_process_is_told_who_decided_what_and_when(
    office: ApprovalOffice, redis_url: str
) -> None:
    runs = [await office.ask(call("restart", f"web-{n}"), conversation=f"C{n}") for n in range(ROUNDS)]
    async with office.worker():
        approvals = [await office.question(run_id) for run_id in runs]
        for run_id in runs:
            await office.parked(run_id)

    told: list[list[dict[str, Any]]] = []
    async with deciders(redis_url, office) as processes:
        for approval in approvals:
            for each in processes:
                each.tell(approval.approval_id)
            told.append([json.loads(await each.line()) for each in processes])

    for number, answers in enumerate(told):
        (winner,) = [each for each in answers if each["won"]]
        (loser,) = [each for each in answers if not each["won"]]
        assert winner["state"] == "completed"
        assert f"web-{number} restarted" in winner["output"]
        decided = await office.store.approvals.get("T1", approvals[number].approval_id)
        assert decided.decided_at is not None
        when = f"{datetime.fromtimestamp(decided.decided_at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        assert (loser["decision"], loser["by"], loser["at"]) == ("approve", winner["by"], decided.decided_at)
        assert loser["text"] == f"already decided (approve) by {winner['by']} at {when}"
    assert sorted(each["service"] for each in office.ran("restart")) == [f"web-{n}" for n in range(ROUNDS)]
