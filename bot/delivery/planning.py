"""What still has to be said to Slack about a run: a pure comparison of what it should show with what it does.

A delivery record whose ``external_id`` is None stands for no message: pending, a post of unknown outcome;
otherwise, a post that is known not to have happened. Its nonce is fixed before the first attempt, and a
message that takes another's place gets the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

from bot.delivery.budgets import Method
from bot.delivery.parts import content_digest, moved
from bot.view.message import Part
from harness_core.models import Delivery

Deliveries = Mapping[str, Delivery]

_LEFT_BEHIND: Final = ".left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to make. ``pending`` is stored before it, ``before`` again where it turned out to do nothing.

    ``last`` says that after it nothing is left to show.
    """

    method: Method
    part: Part
    pending: Delivery
    before: Delivery
    last: bool = False

    @property
    def urgent(self) -> bool:
        """The last word of a run, what people wait for, or the way to know whether it was said."""
        return self.part.final or self.part.urgent or self.method is Method.REPLIES


def outstanding(run_id: str, parts: Sequence[Part], deliveries: Deliveries, *, shown: int) -> list[Call]:
    """The calls that bring Slack to ``parts``, in order; ``shown`` is the newest event in them."""
    calls = [
        call
        for part in (*parts, *_surplus(parts, deliveries))
        if (call := _call(run_id, part, deliveries.get(part.name), shown)) is not None
    ]
    if len(calls) == 1:
        calls = [replace(calls[0], last=calls[0].method is not Method.REPLIES)]
    return calls


def asked_anew(part: Part, record: Delivery, shown: int) -> Call | None:
    """An edit of a message that shows ``part`` already: it changes nothing, and tells whether it is still there."""
    if record.state != "shown" or record.external_id is None:
        return None
    pending = replace(record, state="pending", shown=shown, content=content_digest(part), final=part.final)
    return Call(method=Method.UPDATE, part=part, pending=pending, before=record)


def nothing_posted(
    run_id: str, part: str, *, state: Literal["shown", "undeliverable"] = "shown", shown: int = 0
) -> Delivery:
    """The record of a part before its first attempt."""
    return Delivery(run_id=run_id, part=part, state=state, nonce=_nonce(run_id, part), shown=shown)


def to_be_replaced(record: Delivery) -> Delivery:
    """The record of a part whose message is gone: the next one is another post, with another nonce."""
    return Delivery(
        run_id=record.run_id,
        part=record.part,
        state="shown",
        nonce=_nonce(record.run_id, record.part, record.nonce),
    )


def left_behind(record: Delivery) -> Delivery:
    """The record under which a message is kept whose place another one takes, until it can be made a link to that."""
    return replace(record, part=f"{record.part}{_LEFT_BEHIND}", state="shown", shown=0, content="")


def is_left_behind(part: str) -> bool:
    """Whether it is the name of such a record."""
    return part.endswith(_LEFT_BEHIND)


def may_be_replaced(call: Call, deliveries: Deliveries) -> bool:
    """Whether ``call`` is the last word of an answer, and could be posted anew where its message cannot be edited."""
    part = call.part
    of_the_answer = part.name[:1].isdecimal() and not part.linked
    once = left_behind(call.before).part not in deliveries
    return call.method is Method.UPDATE and part.final and of_the_answer and once


def brought_by_another(record: Delivery, ts: str) -> Delivery:
    """The record of a post that a former owner's call made: whatever the message shows is to be looked at again."""
    return replace(record, state="shown", external_id=ts, shown=0, content="")


def _nonce(*about: str) -> str:
    return sha256("|".join(about).encode()).hexdigest()[:24]


def _call(run_id: str, part: Part, found: Delivery | None, shown: int) -> Call | None:
    before = found or nothing_posted(run_id, part.name)
    pending = replace(before, state="pending", shown=shown, content=content_digest(part), final=part.final)
    match before:
        case Delivery(state="undeliverable"):
            return None
        case Delivery(state="pending", external_id=None) if part.to is not None:
            return None  # a direct message cannot be read back, and is not worth a second copy
        case Delivery(state="pending", external_id=None):
            return Call(method=Method.REPLIES, part=part, pending=before, before=before)
        case Delivery(external_id=None):
            return Call(method=Method.POST, part=part, pending=pending, before=before)
        case Delivery(state="shown", content=content) if content == pending.content or part.once:
            return None
        case _:
            return Call(method=Method.UPDATE, part=part, pending=pending, before=before)


def _surplus(parts: Sequence[Part], deliveries: Deliveries) -> Iterator[Part]:
    """Messages that a longer draft of the answer needed, or whose place another one took.

    While the run goes on it may need them again.
    """
    if not all(part.final for part in parts):
        return
    wanted = {part.name for part in parts}
    standing = {deliveries[name].external_id for name in wanted if name in deliveries}
    for name, record in deliveries.items():
        of_the_answer = name[:1].isdecimal()
        # Whoever kept a message as left behind may have died before it let another one take its place.
        kept = is_left_behind(name) and record.external_id in standing
        if (
            of_the_answer
            and name not in wanted
            and not kept
            and (record.external_id or record.state == "pending")
        ):
            yield moved(name, "")
