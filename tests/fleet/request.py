"""A run that asks people before it acts: what it shows, what people press, what it did to the world."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from waiting import wait_until

from bot.playground.block_kit.surfaces import interactive
from bot.playground.records import Message, Outcome
from bot.view.values import APPROVAL_APPROVE
from fleet.effects import Effect
from fleet.fleet import Fleet, part_of
from fleet.team import ACT
from harness_core import RunState
from harness_core.approvals import Approval
from harness_core.errors import StoreUnavailable

_numbers = itertools.count(1)


def new_name() -> str:
    """A name that nothing has acted on, and that no other one begins with."""
    return f"subject-{next(_numbers):04}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run of the requester, whose agent wants to act on ``name``."""

    fleet: Fleet
    name: str
    asked: Message
    run_id: str

    @classmethod
    async def make(
        cls, fleet: Fleet, *, tool: str = ACT, name: str | None = None, channel: str | None = None
    ) -> Self:
        """Asks for one call of ``tool``, whose result is the answer; returns when the run is stored."""
        name = name or new_name()
        text = f"stream for 0.3s & call {tool} {json.dumps({'name': name})}"
        return await cls.of(fleet, text, name=name, channel=channel)

    @classmethod
    async def of(cls, fleet: Fleet, text: str, *, name: str, channel: str | None = None) -> Self:
        """Asks in these words."""
        asked = await fleet.mention(text, channel=channel)
        run = await fleet.run_of(asked)
        return cls(fleet=fleet, name=name, asked=asked, run_id=run.run_id)

    # What can be seen

    async def effects(self) -> list[Effect]:
        """What happened to its name."""
        return await self.fleet.effects.of(self.name)

    async def acted(self, times: int = 1) -> list[Effect]:
        """Waits until so much has happened."""

        async def enough() -> list[Effect]:
            found = await self.effects()
            return found if len(found) >= times else []

        return await wait_until(enough, timeout=20, what=f"{times} effects on {self.name}")

    async def state(self) -> RunState | None:
        """The run's; None while Redis does not answer."""
        with suppress(StoreUnavailable):
            return (await (await self.fleet.store()).runs.get(self.run_id)).state
        return None

    async def parked(self) -> None:
        """Waits until the run holds no worker any more."""

        async def waits() -> bool:
            return await self.state() is RunState.WAITING

        await wait_until(waits, timeout=20, what=f"{self.run_id} waits for people")

    async def questions(self, *, uncertain: bool = False) -> list[Approval]:
        """What it has asked; ``uncertain``: about calls that may have happened. Empty while Redis does not answer."""
        kind = "uncertain" if uncertain else "call"
        with suppress(StoreUnavailable):
            found = await (await self.fleet.store()).approvals.of_run(self.run_id)
            return [each for each in found if each.kind == kind]
        return []

    async def question(self) -> Approval:
        """Waits for its first question."""
        (first, *_) = await wait_until(self.questions, timeout=20, what=f"{self.run_id} asks")
        return first

    async def shown(self, part: str) -> Message | None:
        """The message that shows the parts of this beginning."""
        parts = await self.fleet.messages_of(self.asked, self.run_id)
        return next((each for each in parts if part_of(each).startswith(part)), None)

    async def card(self, part: str = "ask:", *, within: float = 20) -> Message:
        """Waits for the message that asks."""

        async def posted() -> Message | None:
            return await self.shown(part)

        return await self.fleet.door.wait_for(posted, within=within, what=f"the card of {self.run_id}")

    async def card_says(self, words: str, part: str = "ask:", *, within: float = 20) -> None:
        """Waits until the card tells this outcome."""

        async def told() -> bool:
            card = await self.card(part)
            assert words in card.text, card.text
            return True

        await wait_until(told, timeout=within, what=f"the card says {words!r}")

    # What people do

    async def press(
        self,
        action_id: str,
        *,
        user: str | None = None,
        part: str = "ask:",
        about: Approval | None = None,
    ) -> Outcome:
        """A person, the approver unless another is named, presses a button of the card as it is shown now."""
        card = await self.card(part)
        return await self.fleet.door.click(
            card,
            action_id,
            user=user or self.fleet.playground.config.cast.approver,
            block_id=None if about is None else _block_of(card.blocks, about.approval_id, action_id),
        )

    async def approve(self, *, part: str = "ask:") -> None:
        """The approver approves, and Slack gets its answer."""
        outcome = await self.press(APPROVAL_APPROVE, part=part)
        assert outcome.ok, outcome


def _block_of(blocks: Sequence[dict[str, object]], approval_id: str, action_id: str) -> str:
    """The block with the button of one row among several."""
    for block in blocks:
        for element in interactive(block):
            if element["action_id"] == action_id and str(element.get("value")).startswith(approval_id):
                return str(block["block_id"])
    raise AssertionError(f"no {action_id} for {approval_id}: {blocks}")
