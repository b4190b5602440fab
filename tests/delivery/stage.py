"""Runs without agents: a stage plays the web process and the worker, so that a test decides every event."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from waiting import wait_until

from bot.delivery.target import Target
from bot.delivery.web_api import SingleToken, WebApi
from bot.playground import Cast, Door, Playground
from bot.playground.records import ApiCall, Message
from harness_core import RunState, Store
from harness_core.events import (
    OutputDelta,
    Payload,
    RunCancelled,
    RunCompleted,
    RunFailed,
    StepCompleted,
    StepStarted,
)
from harness_core.models import Accepted, Fence, Submission

LEASE = 3600.0
_numbers = itertools.count()


@dataclass(slots=True)
class Act:
    """One run on stage."""

    store: Store
    door: Door
    run_id: str
    channel: str
    thread_ts: str
    fence: Fence | None = None
    batches: int = 0

    async def start(self) -> None:
        """Claims the run; whatever else is claimable stays leased and silent."""
        claims = await self.store.runs.claim("stage", want=9, per_tenant=1000, per_user=1000, lease=LEASE)
        (self.fence,) = (claim.fence for claim in claims if claim.run.run_id == self.run_id)

    async def tell(self, *payloads: Payload) -> None:
        assert self.fence is not None
        self.batches += 1
        await self.store.runs.append(self.fence, self.batches, payloads)

    async def say(self, text: str) -> None:
        await self.tell(OutputDelta(text=text, message="m1"))

    async def step(self, name: str, label: str) -> None:
        await self.tell(StepStarted(step=name, label=label), StepCompleted(step=name))

    async def complete(self, output: str) -> None:
        assert self.fence is not None
        await self.store.runs.finish(
            self.fence, RunState.COMPLETED, RunCompleted(output=output), output=output
        )

    async def fail(self, sentence: str) -> None:
        assert self.fence is not None
        failed = RunFailed(reason="model_failed", message=sentence)
        await self.store.runs.finish(self.fence, RunState.FAILED, failed, reason="model_failed")

    async def stop(self, by: str) -> None:
        assert self.fence is not None
        await self.store.runs.finish(self.fence, RunState.CANCELLED, RunCancelled(by=by))

    async def answers(self) -> list[Message]:
        """What the bot said in the thread."""
        found = await self.door.messages(self.channel, thread_ts=self.thread_ts)
        return [message for message in found if message.bot_id is not None]

    async def says(self, text: str, *, within: float = 10.0) -> Message:
        """The bot's message in the thread whose text contains ``text``, once it is there."""

        return await self.door.wait_for_message(
            self.channel,
            lambda message: message.bot_id is not None and text in message.text,
            thread_ts=self.thread_ts,
            within=within,
            what=f"{text[:60]!r} in the thread",
        )

    async def clean(self) -> None:
        """Waits until nothing of this run is left to show."""

        async def probe() -> bool:
            tenant = (await self.store.runs.get(self.run_id)).tenant
            return self.run_id not in {each.run_id for each in await self.store.deliveries.dirty(tenant)}

        await wait_until(probe, what="nothing left to show")


@dataclass(slots=True, kw_only=True)
class Stage:
    """A store and a Slack, and the way to put runs between them."""

    store: Store
    redis_url: str
    playground: Playground
    door: Door
    cast: Cast = field(default_factory=Cast)

    async def ask(self, *, channel: str | None = None, thread_ts: str | None = None) -> Act:
        """Somebody writes a message, and it is accepted as a run."""
        channel = channel or self.cast.ops
        asked = await self.door.post(channel, f"question {next(_numbers)}", thread_ts=thread_ts)
        target = Target(channel=channel, thread_ts=thread_ts or asked.ts, asked_ts=asked.ts)
        return await self._accept(target, target.record())

    async def ask_nowhere(self) -> Act:
        """A run of a front end that is not Slack."""
        return await self._accept(Target(channel="nowhere", thread_ts="0", asked_ts="0"), {})

    async def _accept(self, target: Target, record: dict[str, str]) -> Act:
        accepted = await self.store.runs.accept(
            Submission(
                tenant=self.cast.team,
                conversation=f"{target.channel}:{target.thread_ts}",
                user=self.cast.requester,
                text="question",
                dedupe=(f"{target.channel}:{target.asked_ts}",),
                target=record,
            )
        )
        assert isinstance(accepted, Accepted)
        return Act(self.store, self.door, accepted.run_id, target.channel, target.thread_ts)

    async def play(self, *, channel: str | None = None) -> Act:
        """A run that is going."""
        act = await self.ask(channel=channel)
        await act.start()
        return act

    async def pass_time(self, milliseconds: int) -> None:
        """Moves the clock of the store on."""
        await self.store.client.incrby("harness:{p0}:clock_offset", milliseconds)

    async def pause_store(self, seconds: float) -> None:
        """The server answers nobody for a while."""
        await self.store.client.execute_command("CLIENT", "PAUSE", round(seconds * 1000), "ALL")

    async def calls(self, *methods: str) -> list[ApiCall]:
        """The calls that were made, of these methods."""
        return [call for call in await self.door.calls() if call.method in methods]

    def api(self, base_url: str | None = None, *, timeout: float = 5.0) -> WebApi:
        """A client of one's own; close it."""
        token = SingleToken(self.playground.config.bot_token)
        return WebApi.open(token, base_url=base_url or self.playground.api_url, timeout=timeout)
