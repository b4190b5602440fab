"""Who may decide a question: one answer for messages, modals, lists and every other place that asks.

The rule is the one stored with the question. It is applied at the click, never when the card is posted: who left
the group in between, or was deactivated, is refused. An empty rule is nobody; admins count only when named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.people import Kind, People
from harness_core.approvals import Approval

ASK_WITHIN: Final = 0.8
"""Seconds that a click waits for Slack to say who somebody is."""


@dataclass(frozen=True, slots=True)
class Allowed:
    pass


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """The person asked for it, or for a part of it, and the rule wants somebody else."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The rule does not reach this person."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """A guest, a person of another organisation, a bot or a deactivated account, whom no rule names."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Slack did not say whether the rule reaches this person, so it does not."""


Verdict = Allowed | OwnRequest | NotAllowed | Outsider | NotKnown


async def may_decide(people: People, approval: Approval, user: str, *, home: str = "") -> Verdict:
    """Whether ``user`` may approve or reject. ``home`` is the person's own team where the click told it."""
    rule, asked = approval.rule, user in approval.requesters
    if not user:
        return NotAllowed()
    if asked and not rule.requester:
        return OwnRequest()
    named = user in rule.users
    if not (named or asked or rule.usergroups or rule.channel_members):
        return NotAllowed()
    if named or asked:
        return _of_named(await _kind(people, approval.tenant, user, home), named=named)
    kind, belongs = await asyncio.gather(
        _kind(people, approval.tenant, user, home), _belongs(people, approval, user)
    )
    match kind, belongs:
        case None, _:
            return NotKnown()
        case Kind.MEMBER, True:
            return Allowed()
        case Kind.MEMBER, None:
            return NotKnown()
        case Kind.MEMBER, _:
            return NotAllowed()
        case kind, _:
            return Outsider(kind)


async def may_edit(people: People, approval: Approval, user: str, *, home: str = "") -> Verdict:
    """Whether ``user`` may change the arguments: approvers may, and who asked."""
    if user and user in approval.requesters:
        return _of_named(await _kind(people, approval.tenant, user, home), named=False)
    return await may_decide(people, approval, user, home=home)


async def may_see(people: People, approval: Approval, user: str) -> bool | None:
    """Whether the arguments may be shown to ``user`` outside the channel they were asked in; None: nobody knows.

    What was asked in a private channel stays among its members. What was asked in a direct message is shown to those
    whom the rule names, alone or in a group: they could decide nowhere else.
    """
    channel = approval.channel
    if channel is None or user in approval.requesters:
        return True
    if channel.startswith("D"):
        return user in approval.rule.users or await _in_groups(people, approval, user)
    public = await people.is_public(approval.tenant, channel, within=ASK_WITHIN)
    if public is None:  # the oldest private channels have ids of their own; that is all that is left to go by
        public = not channel.startswith("G")
    return public or await people.in_channel(approval.tenant, channel, user, within=ASK_WITHIN)


def _of_named(kind: Kind | None, *, named: bool) -> Verdict:
    """Of whom the rule names, one way or the other: no look-up is needed, and only some of its answers refuse."""
    match kind:
        case Kind.DEACTIVATED:
            return Outsider(kind)
        case Kind.GUEST | Kind.STRANGER | Kind.BOT if not named:
            return Outsider(kind)
        case _:
            return Allowed()


async def _kind(people: People, team: str, user: str, home: str) -> Kind | None:
    kind = await people.kind(team, user, within=ASK_WITHIN)
    return Kind.STRANGER if kind is None and home not in ("", team) else kind


async def _belongs(people: People, approval: Approval, user: str) -> bool | None:
    """None when Slack did not answer for one place, and no other one has the person."""
    team, rule = approval.tenant, approval.rule
    places: list[Awaitable[bool | None]] = [_in_groups(people, approval, user)]
    if rule.channel_members and approval.channel:
        places.append(people.in_channel(team, approval.channel, user, within=ASK_WITHIN))
    return _in_any(await asyncio.gather(*places))


async def _in_groups(people: People, approval: Approval, user: str) -> bool | None:
    team, groups = approval.tenant, approval.rule.usergroups
    return _in_any(
        await asyncio.gather(*(people.in_group(team, group, user, within=ASK_WITHIN) for group in groups))
    )


def _in_any(found: Sequence[bool | None]) -> bool | None:
    if True in found:
        return True
    return None if None in found else False
