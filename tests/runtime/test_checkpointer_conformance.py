"""The public contract of a LangGraph checkpointer, all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from langgraph.checkpoint.conformance import checkpointer_test, validate

from harness_core.runtime.checkpointer import FencedSaver
from harness_core.store import Seal, Store

PROMISED = {
    "put": 17,
    "put_writes": 10,
    "get_tuple": 10,
    "list": 16,
    "delete_thread": 5,
    "delete_for_runs": 7,
    "copy_thread": 8,
    "prune": 8,
}


async def test_all_81_tests_of_the_conformance_suite_pass(store: Store, seal: Seal) -> None:
    # The suite abandons its generators without closing them, so the store is opened outside.
    @checkpointer_test(name="fenced")
    async def fenced() -> AsyncGenerator[FencedSaver, None]:
        for thread_id in await store.checkpoints.threads():
            await store.checkpoints.delete_thread(thread_id)
        yield FencedSaver(store.checkpoints, seal, require_fence=False)

    report = await validate(fenced)

    report.print_report()
    failures = [failure for result in report.results.values() for failure in result.failures or ()]
    assert not failures, "\n".join(failures)
    passed = {name: result.tests_passed for name, result in report.results.items() if result.tests_passed}
    assert passed == PROMISED
    assert sum(PROMISED.values()) == 81
