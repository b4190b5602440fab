"""The five faults. A strike returns when its fault is over; peace after it is awaited elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bot.playground import contract
from bot.playground.delivery.parcel import Parcel
from bot.playground.evidence.accounts import Sight, accounts, sight
from bot.playground.evidence.scene import Attempt, Scene
from bot.playground.evidence.verdicts import Fault
from bot.playground.faults import LoseReply, RateLimited, Repeat
from bot.playground.records import Message

SLOW_FOR = 20.0
SIGN_WITHIN = 15.0
LOOK_EVERY = 0.25

Strike = Callable[[Scene, Attempt], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A button, and the sentence that says what it does. Some need more than a playground alone has."""

    fault: Fault
    label: str
    sentence: str
    kills: bool = False
    counts: bool = False


OFFERS = (
    Offer(
        fault=Fault.KILL_BOT,
        label="Kill the bot",
        sentence="Every process of the bot gets a SIGKILL while it works.",
        kills=True,
    ),
    Offer(
        fault=Fault.KILL_TOOL,
        label="Kill inside the tool",
        sentence="The tool did its work; the bot dies before it hears so.",
        kills=True,
        counts=True,
    ),
    Offer(
        fault=Fault.SLOW_DOWN,
        label=f"Slack says slow down for {SLOW_FOR:g} s",
        sentence="Every call of the bot is refused for that long.",
    ),
    Offer(
        fault=Fault.TWICE,
        label="Deliver everything twice",
        sentence="Slack hands each message to the bot two times at once.",
    ),
    Offer(
        fault=Fault.LOSE_REPLY,
        label="Lose the next reply",
        sentence="Slack posts the next message; the bot never hears so.",
    ),
)


async def kill_bot(scene: Scene, attempt: Attempt) -> None:
    """While something runs, so that there is something to survive."""
    if not _under_way(scene):
        asked = attempt.ask(scene, scene.config.suggestions.ask)
        attempt.at_work("Waits for the bot's first sign of work.")
        await _first_sign(scene, asked)
    await scene.processes.kill()
    await _comes_back(scene, attempt)


async def kill_after_approval(scene: Scene, attempt: Attempt) -> None:
    """The worker is held still while the decision is taken, so that the blow lands before the tool starts."""
    attempt.armed("Waits for Approve.")
    held, answered = asyncio.Event(), asyncio.Event()
    pressed: list[Parcel] = []

    @asynccontextmanager
    async def around(parcel: Parcel) -> AsyncIterator[None]:
        if pressed or _approver(parcel) != scene.config.cast.approver:
            yield
            return
        pressed.append(parcel)
        with suppress(TimeoutError):
            await scene.processes.hold()
            held.set()
        try:
            yield
        finally:
            answered.set()

    try:
        with scene.courier.around_acts(around):
            async with asyncio.timeout(scene.config.patience.armed):
                await answered.wait()
    finally:
        # Also when it is called off meanwhile: what stands still can only be killed.
        if held.is_set():
            await scene.processes.kill(away=scene.config.patience.away)
    attempt.decided.update(*(_sights(scene, parcel) for parcel in pressed))
    await _comes_back(scene, attempt)


async def kill_tool(scene: Scene, attempt: Attempt) -> None:
    """After the tool's effect and before its answer: what the bot cannot know, a person has to say."""
    before = len(scene.effects.seen)
    approved: set[Sight] = set()

    @asynccontextmanager
    async def around(parcel: Parcel) -> AsyncIterator[None]:
        if _approver(parcel):
            approved.update(_sights(scene, parcel))
        yield

    act = scene.config.suggestions.act
    if act is not None and not any(each.waiting for each in accounts(scene.world).values()):
        attempt.ask(scene, act)
    attempt.armed("Waits for a tool that changes something: approve one.")
    await scene.effects.hold()
    try:
        with scene.courier.around_acts(around):
            async with asyncio.timeout(scene.config.patience.armed):
                await scene.effects.held_after(before)
        attempt.decided.update(approved)
        await scene.processes.kill()
    finally:
        await scene.effects.release()
    await _comes_back(scene, attempt)


async def slow_down(scene: Scene, attempt: Attempt) -> None:
    attempt.until_peace.enter_context(scene.faults.in_force(RateLimited(seconds=SLOW_FOR)))
    if not _under_way(scene):
        attempt.ask(scene, scene.config.suggestions.ask)
    attempt.at_work(f"Every call is refused for {SLOW_FOR:g} s.")
    await scene.pulse.pause(SLOW_FOR)


async def twice(scene: Scene, attempt: Attempt) -> None:
    attempt.until_peace.enter_context(scene.faults.in_force(Repeat(times=2)))
    attempt.ask(scene, scene.config.suggestions.ask)
    attempt.at_work("Every event is handed over twice.")


async def lose_reply(scene: Scene, attempt: Attempt) -> None:
    fault = LoseReply(method="chat.postMessage")
    with scene.faults.in_force(fault):
        attempt.ask(scene, scene.config.suggestions.ask)
        attempt.at_work("Waits for the bot's next post.")
        await _until(scene, lambda: all(each is not fault for each in scene.faults.listed()))


STRIKES: Mapping[Fault, Strike] = {
    Fault.KILL_BOT: kill_bot,
    Fault.KILL_TOOL: kill_tool,
    Fault.SLOW_DOWN: slow_down,
    Fault.TWICE: twice,
    Fault.LOSE_REPLY: lose_reply,
}


async def _comes_back(scene: Scene, attempt: Attempt) -> None:
    attempt.at_work("The bot is gone. Waits until it is back.")
    await scene.processes.back()
    attempt.at_work("The bot is back. Waits until everything is answered.")


async def _first_sign(scene: Scene, asked: Message) -> None:
    """Waits until the bot does anything in the thread of that message; not for ever, if it never does."""
    heard = len(scene.ledger.calls)
    await _until(
        scene,
        lambda: any(call.args.get("thread_ts") == asked.ts for call in scene.ledger.calls[heard:]),
    )


async def _until(scene: Scene, happened: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SIGN_WITHIN):
            while not happened():
                await scene.pulse.wait(scene.pulse.count, LOOK_EVERY)


def _under_way(scene: Scene) -> bool:
    """Whether somebody waits for the bot: for an answer that grows, or for one that has yet to begin."""
    now = time.time()
    return any(each.owed(now) and not each.waiting for each in accounts(scene.world).values())


def _approver(parcel: Parcel) -> str | None:
    """Who presses Approve with this; None: it is something else."""
    match parcel.payload:
        case {"type": "block_actions", "user": {"id": str(user)}, "actions": [{"action_id": str(action)}]}:
            return user if action.startswith(contract.APPROVE) else None
        case _:
            return None


def _sights(scene: Scene, parcel: Parcel) -> list[Sight]:
    """The card that was pressed, as it looks now."""
    container = parcel.payload.get("container", {})
    found = scene.world.messages.find(
        str(container.get("channel_id", "")), str(container.get("message_ts", ""))
    )
    return [sight(found)] if found is not None else []
