"""What a fault acts on and what it is measured by; and one press of a button."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.courier import Courier
from bot.playground.effects import Effects
from bot.playground.evidence.accounts import Sight
from bot.playground.evidence.verdicts import Fault, Verdict
from bot.playground.faults import Faults
from bot.playground.ledger import Ledger
from bot.playground.people import Hands
from bot.playground.processes import Processes
from bot.playground.pulse import Pulse
from bot.playground.records import Message
from bot.playground.world import World

Phase: TypeAlias = Literal["pressed", "armed", "at work", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    config: PlaygroundConfig
    world: World
    hands: Hands
    courier: Courier
    faults: Faults
    ledger: Ledger
    effects: Effects
    processes: Processes
    pulse: Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One press of a fault button, from there to its verdict. `note` says what it waits for.

    `asked` is the message that was posted to have something to survive. Without a verdict in the end, it was
    called off.
    """

    number: int
    fault: Fault
    phase: Phase
    started: float
    note: str = ""
    asked: Message | None = None
    verdict: Verdict | None = None


@dataclass(slots=True, kw_only=True)
class Attempt:
    """A trial under way. `decided` are cards that were decided before the bot could say so.

    What is entered in `until_peace` is left when everything is at peace again.
    """

    trial: Trial
    user: str
    channel: str
    publish: Callable[[Trial], None]
    decided: set[Sight] = field(default_factory=set)
    until_peace: ExitStack = field(default_factory=ExitStack)

    def armed(self, note: str) -> None:
        self.change(phase="armed", note=note)

    def at_work(self, note: str) -> None:
        self.change(phase="at work", note=note)

    def change(
        self,
        *,
        phase: Phase,
        note: str = "",
        verdict: Verdict | None = None,
    ) -> None:
        self.trial = replace(self.trial, phase=phase, note=note, verdict=verdict)
        self.publish(self.trial)

    def ask(self, scene: Scene, text: str) -> Message:
        """Post `text` to the bot as the person at the page, where the bot can read it."""
        directory = scene.world.directory
        channel = directory.channels.get(self.channel)
        people = (self.user, directory.bot.id)
        fits = channel is not None and all(person in channel.members for person in people)
        place = self.channel if fits else scene.config.cast.ops
        asked = scene.hands.post(self.user, place, f"<@{directory.bot.id}> {text}")
        self.trial = replace(self.trial, asked=asked, phase="at work")
        self.publish(self.trial)
        return asked
