"""What a program asks for by its id, as far as it belongs to the program's tenant: of others it learns nothing."""

from __future__ import annotations

from harness_core.approvals import Approval
from harness_core.engine.approvals import Approvals
from harness_core.engine.control import Control
from harness_core.errors import ApprovalNotFound, RunNotFound, ThreadNotFound, ThreadReplaced
from harness_core.models import Run, Thread


class Own:
    """The threads, runs and questions of one tenant."""

    def __init__(self, reads: Control, approvals: Approvals, tenant: str) -> None:
        self._reads = reads
        self._approvals = approvals
        self._tenant = tenant

    async def thread(self, thread_id: str) -> Thread:
        """:raises ThreadNotFound: the tenant has no such thread."""
        thread = await self._reads.get_thread(thread_id)
        if thread.tenant != self._tenant:
            raise ThreadNotFound(thread_id)
        return thread

    async def current_thread(self, thread_id: str) -> Thread:
        """A thread in which something may be said.

        :raises ThreadNotFound: the tenant has no such thread.
        :raises ThreadReplaced: its conversation was begun again.
        """
        thread = await self.thread(thread_id)
        current = await self._reads.find_thread(thread.tenant, thread.conversation)
        if current is not None and current.thread_id != thread_id:
            raise ThreadReplaced(thread_id, current.thread_id)
        return thread

    async def run(self, run_id: str) -> Run:
        """:raises RunNotFound: the tenant has no such run."""
        run = await self._reads.get_run(run_id)
        if run.tenant != self._tenant:
            raise RunNotFound(run_id)
        return run

    async def question(self, approval_id: str | None, thread_id: str | None) -> Approval:
        """The approval of this id, or the one that is open in the thread.

        :raises ApprovalNotFound: the tenant has none, or not exactly one is open.
        :raises ThreadNotFound: the tenant has no such thread.
        """
        if approval_id is not None:
            approval = await self._approvals.locate(approval_id)
            if approval.tenant != self._tenant:
                raise ApprovalNotFound(approval_id)
            return approval
        if thread_id is None:
            raise ApprovalNotFound("without an id: name an approval or a thread")
        live = await self._reads.live_runs(await self.thread(thread_id))
        found = [each for run in live for each in await self._approvals.of_run(run.run_id)]
        waiting = [each for each in found if each.state == "open"]
        if len(waiting) != 1:
            raise ApprovalNotFound(f"of {thread_id}: {len(waiting)} are open there, so name one by its id")
        return waiting[0]
