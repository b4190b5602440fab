"""Who can approve what: every rule of the workspace, held against the people whom Slack knows.

A rule that nobody can satisfy is an error, because the calls it is for are refused at once; one that only just
works is a warning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final

from bot.delivery.answers import Done, Refused
from bot.delivery.web_api import WebApi
from bot.findings import Finding
from bot.people import Kind, People, read_kind
from harness_core import Workspace

_SUBJECT: Final = "approvers"
_ASK_WITHIN: Final = 5.0
_LISTED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one rule holds; ``channel`` None is wherever no other one does."""

    channel: str | None
    users: tuple[str, ...]
    usergroups: tuple[str, ...]
    channel_members: bool
    requester: bool
    quorum: int

    @property
    def named(self) -> bool:
        """Whether the rule names anybody at all."""
        return bool(self.users or self.usergroups or self.channel_members or self.requester)

    def __str__(self) -> str:
        return f"in {self.channel}" if self.channel else "in channels without a rule of their own"


@dataclass(slots=True)
class _Found:
    """What was learned about one rule. ``unknown`` says that Slack did not answer for a part of it."""

    able: set[str] = field(default_factory=set)
    defects: list[str] = field(default_factory=list)
    unknown: bool = False


def places(workspace: Workspace) -> list[Place]:
    """Every rule about who decides, the general one last."""
    runtime = workspace.runtime.approvals
    rules = [
        (spec.channel, spec.approvals.approvers or runtime.approvers, spec.approvals.quorum or runtime.quorum)
        for spec in workspace.channels.values()
        if spec.approvals is not None
    ]
    return [
        Place(
            channel=channel,
            users=rule.users,
            usergroups=rule.usergroups,
            channel_members=rule.channel_members,
            requester=rule.requester,
            quorum=quorum,
        )
        for channel, rule, quorum in (*rules, (None, runtime.approvers, runtime.quorum))
    ]


def asking_tools(workspace: Workspace) -> list[str]:
    """The tools whose calls people have to approve."""
    return sorted(name for name, spec in workspace.tools.items() if spec.approval != "never")


def doubtful_tools(workspace: Workspace) -> list[str]:
    """The tools that run without asking, but a crash inside of which is a question to people."""
    return sorted(
        name for name, spec in workspace.tools.items() if spec.approval == "never" and not spec.idempotent
    )


class ApproverCheck:
    """Looks the people of each rule up, with the token of the bot."""

    def __init__(self, api: WebApi, people: People, team: str) -> None:
        self._api = api
        self._people = people
        self._team = team
        self._handles: dict[str, str] | None = None

    async def report(self, workspace: Workspace) -> AsyncIterator[Finding]:
        """A line for each user group and each rule. Nothing where no tool ever asks."""
        asking, doubtful = asking_tools(workspace), doubtful_tools(workspace)
        if not asking and not doubtful:
            return
        rules = places(workspace)
        for group in dict.fromkeys(group for rule in rules for group in rule.usergroups):
            yield await self._group(group)
        elsewhere = any(rule.named for rule in rules)
        for rule in rules:
            async for finding in self._rule(rule, asking, doubtful, elsewhere=elsewhere):
                yield finding

    async def _group(self, group: str) -> Finding:
        match await self._api.group_members(self._team, group, within=_ASK_WITHIN):
            case Done(data={"users": list() as users}):
                handle = (await self._known_handles()).get(group)
                named = f"{group} = @{handle}" if handle else group
                people = f"{len(users)} {'person' if len(users) == 1 else 'people'}"
                return Finding("ok" if users else "warning", _SUBJECT, f"{named}, {people}")
            case Refused(error="no_such_subteam"):
                return Finding("warning", _SUBJECT, f"{group} is no user group of this team.")
            case answer:
                why = answer.error if isinstance(answer, Refused) else "no answer"
                return Finding(
                    "warning",
                    _SUBJECT,
                    f"{group} could not be looked up ({why}), so nobody can approve as one of it.",
                )

    async def _known_handles(self) -> dict[str, str]:
        if self._handles is None:
            self._handles = {}
            match await self._api.groups(self._team, within=_ASK_WITHIN):
                case Done(data={"usergroups": list() as groups}):
                    self._handles = {
                        str(each.get("id")): str(each.get("handle"))
                        for each in groups
                        if isinstance(each, dict) and each.get("handle")
                    }
                case _:
                    pass
        return self._handles

    async def _rule(
        self, rule: Place, asking: list[str], doubtful: list[str], *, elsewhere: bool
    ) -> AsyncIterator[Finding]:
        found = await self._look(rule)
        enough = len(found.able) + rule.requester >= rule.quorum
        if enough or found.unknown:
            for defect in found.defects:
                yield Finding("warning", _SUBJECT, f"{rule}: {defect}.")
            yield Finding("ok", _SUBJECT, f"{rule}: {_told(rule)} can decide{_needed(rule)}: {_some(asking)}")
            if not found.unknown and not rule.requester and len(found.able) == rule.quorum:
                yield Finding(
                    "warning",
                    _SUBJECT,
                    f"{rule}: {_some(sorted(found.able))} cannot approve their own requests, and nobody else "
                    "can: name one more person.",
                )
            return
        what = asking or doubtful
        why = f" ({'; '.join(found.defects)})" if found.defects else ""
        does = "approve" if asking else "say what happened when a crash interrupts"
        level = "error" if asking and (rule.named or not elsewhere) else "warning"
        many = "not enough people" if found.able else "nobody"
        yield Finding(
            "error" if level == "error" else "warning",
            _SUBJECT,
            f"{rule}: {many} can {does} {_some(what)}{why}: name people or user groups under `approvers`.",
        )

    async def _look(self, rule: Place) -> _Found:
        """Whom the rule reaches; no further than is needed to know that they are enough."""
        found = _Found()
        for user in rule.users:
            await self._look_at_user(user, found)
        for group in rule.usergroups:
            match await self._api.group_members(self._team, group, within=_ASK_WITHIN):
                case Done(data={"users": list() as users}):
                    await self._look_at_members(users, rule.quorum, found, f"{group} has no members left")
                case Refused(error="no_such_subteam"):
                    found.defects.append(f"{group} is no user group of this team")
                case _:
                    found.unknown = True
        if rule.channel_members:
            await self._look_at_channel(rule, found)
        return found

    async def _look_at_user(self, user: str, found: _Found) -> None:
        match await self._api.user_info(self._team, user, within=_ASK_WITHIN):
            case Done(data={"user": dict() as told}) if read_kind(told, self._team) is Kind.DEACTIVATED:
                found.defects.append(f"{user} is deactivated")
            case Refused(error="user_not_found" | "user_not_visible"):
                found.defects.append(f"{user} is no user of this team")
            case _:
                found.able.add(user)  # who is named needs no look-up to decide

    async def _look_at_channel(self, rule: Place, found: _Found) -> None:
        if rule.channel is None:
            found.unknown = True  # whoever is where it was asked
            return
        match await self._api.channel_members(self._team, rule.channel, within=_ASK_WITHIN):
            case Done(data={"members": list() as users}):
                await self._look_at_members(
                    users, rule.quorum, found, f"{rule.channel} has no members who could decide"
                )
            case Refused(error="channel_not_found"):
                found.defects.append(f"{rule.channel} is not there, or the bot is not in it")
            case _:
                found.unknown = True

    async def _look_at_members(self, users: Iterable[object], quorum: int, found: _Found, none: str) -> None:
        left = False
        for user in users:
            if len(found.able) > quorum:
                return
            kind = await self._people.kind(self._team, str(user), within=_ASK_WITHIN)
            if kind is None:
                found.unknown = True
                return
            if kind is Kind.MEMBER:
                left = True
                found.able.add(str(user))
        if not left:
            found.defects.append(none)


def _told(rule: Place) -> str:
    people = [*rule.users, *rule.usergroups]
    if rule.channel_members:
        people.append("members of the channel")
    if rule.requester:
        people.append("the requester")
    return _some(people)


def _needed(rule: Place) -> str:
    return f", {rule.quorum} of them together" if rule.quorum > 1 else ""


def _some(names: list[str]) -> str:
    """The first few, in words."""
    if len(names) > _LISTED:
        return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"
    *most, last = names or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last
