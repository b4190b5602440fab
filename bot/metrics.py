"""What the process counts, in Prometheus's terms. No label holds a user, a channel or a run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from harness_core.models import Upkept
from harness_core.states import RunState

_ACK_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
_LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_LAG_EVERY: Final = 0.5

_KEPT: Final = ("folded", "checkpoints", "values", "runs", "threads", "keys", "links", "unreadable")

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """One registry for one process, so that tests and several apps in a process never share counters."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._received = Counter(
            "harness_events_received", "Payloads that Slack delivered.", ["kind"], registry=registry
        )
        self._duplicates = Counter(
            "harness_events_duplicate", "Messages that had been accepted before.", registry=registry
        )
        self._ack = Histogram(
            "harness_ack_seconds",
            "Time from a payload's arrival to its answer.",
            ["status"],
            buckets=_ACK_BUCKETS,
            registry=registry,
        )
        self._calls = Counter(
            "harness_slack_calls", "Calls of Slack's Web API.", ["method", "outcome"], registry=registry
        )
        self._runs = Gauge("harness_runs", "Runs that are not over, by state.", ["state"], registry=registry)
        self._queue = Gauge("harness_queue_depth", "Runs that wait for a worker.", registry=registry)
        self._approvals = Gauge(
            "harness_approvals_pending", "Questions that wait for a person.", registry=registry
        )
        self._decisions = Counter(
            "harness_approval_decisions",
            "Decisions that people took here, and edits.",
            ["decision"],
            registry=registry,
        )
        self._refusals = Counter(
            "harness_approval_refusals",
            "Clicks on questions that changed nothing, by the reason.",
            ["reason"],
            registry=registry,
        )
        self._passes = Counter(
            "harness_maintenance_passes", "Passes of maintenance this process made.", registry=registry
        )
        self._kept = Counter(
            "harness_maintenance",
            "What those passes removed or folded, by what it was.",
            ["what"],
            registry=registry,
        )
        self._lag = Histogram(
            "harness_loop_lag_seconds",
            "How late the event loop wakes a task.",
            buckets=_LAG_BUCKETS,
            registry=registry,
        )

    def received(self, kind: str) -> None:
        """One payload of this kind came in."""
        self._received.labels(kind).inc()

    def duplicate(self) -> None:
        """A message came again."""
        self._duplicates.inc()

    def acked(self, status: int, seconds: float) -> None:
        """A payload was answered with this HTTP status."""
        self._ack.labels(str(status)).observe(seconds)

    def called(self, method: str, outcome: str) -> None:
        """One call of the Web API ended like this."""
        self._calls.labels(method, outcome).inc()

    def runs(self, counts: Mapping[RunState, int]) -> None:
        """How many runs stand in each state."""
        for state, count in counts.items():
            self._runs.labels(state.value).set(count)
        self._queue.set(counts.get(RunState.QUEUED, 0))

    def approvals(self, pending: int) -> None:
        """How many questions wait."""
        self._approvals.set(pending)

    def decided(self, decision: str) -> None:
        """One decision was taken; ``decision`` is one of a few words."""
        self._decisions.labels(decision).inc()

    def refused(self, reason: str) -> None:
        """One click was refused; ``reason`` is one of a few words."""
        self._refusals.labels(reason).inc()

    def upkept(self, done: Upkept) -> None:
        """One pass of maintenance ended."""
        self._passes.inc()
        for what in _KEPT:
            self._kept.labels(what).inc(getattr(done, what))

    async def watch_loop(self) -> None:
        """Measures the event loop's lag until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_EVERY
            await asyncio.sleep(_LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))

    def exposition(self) -> bytes:
        """The text that a Prometheus server reads."""
        return generate_latest(self._registry)
