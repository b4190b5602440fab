"""The test door: JSON over loopback HTTP to act as people, look at everything, and cause faults.

`POST /door/<verb>` takes a record of `door_protocol`; `GET /door/<noun>` reads, and with `newer_than` waits up
to `within` seconds until anything at all has happened since that beat. Every answer is
`{"beat": n, "result": …}`, every refusal `{"error": text}` with status 400 (not understood) or 409 (a person
could not do that).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.courier import Courier
from bot.playground.door_protocol import (
    VERBS,
    Act,
    AddFault,
    Archive,
    ChangeGroup,
    ChangeUser,
    ClearFaults,
    Click,
    ClickView,
    CloseView,
    Delete,
    DeliverEvent,
    Disconnect,
    Edit,
    Join,
    Leave,
    Link,
    OpenHome,
    PointAt,
    Post,
    ResetWorld,
    RunCommand,
    Submit,
)
from bot.playground.errors import Impossible, SlackError
from bot.playground.faults import Faults
from bot.playground.ledger import Ledger
from bot.playground.limits import Limits
from bot.playground.people import Hands, Interactivity
from bot.playground.pulse import Pulse
from bot.playground.records import Message, User
from bot.playground.world import World

LONGEST_WAIT = 30.0
# One busy second beats hundreds of times; a waiter is woken for a handful of them together.
GATHER = 0.02

_ADAPTERS: Mapping[str, TypeAdapter[Act]] = {verb: TypeAdapter(record) for verb, record in VERBS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Everything the door opens on."""

    config: PlaygroundConfig
    world: World
    hands: Hands
    interactivity: Interactivity
    courier: Courier
    faults: Faults
    limits: Limits
    ledger: Ledger
    pulse: Pulse


class DoorFace:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._readers: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
            "beat": lambda _: None,
            "messages": self._messages,
            "ephemerals": self._ephemerals,
            "views": self._views,
            "statuses": self._statuses,
            "calls": self._calls,
            "deliveries": self._deliveries,
            "users": lambda _: list(rooms.world.directory.users.values()),
            "channels": lambda _: list(rooms.world.directory.channels.values()),
            "faults": lambda _: rooms.faults.listed(),
            "link": lambda _: self._link(),
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/door/{verb}", self._act), web.get("/door/{noun}", self._read)]

    async def _act(self, request: web.Request) -> web.Response:
        verb = request.match_info["verb"]
        if verb not in _ADAPTERS:
            return _refusal(400, f"The door knows no verb {verb!r}; it knows: {', '.join(VERBS)}.")
        try:
            act = _ADAPTERS[verb].validate_json(await request.read() or b"{}")
            return self._answer(await self._do(act))
        except ValidationError as error:
            return _refusal(400, f"{verb}: {error}")
        except (Impossible, SlackError) as error:
            return _refusal(409, f"{verb}: {error}")

    async def _read(self, request: web.Request) -> web.Response:
        noun, query = request.match_info["noun"], request.query
        if noun not in self._readers:
            return _refusal(400, f"The door shows no {noun!r}; it shows: {', '.join(self._readers)}.")
        try:
            if "newer_than" in query:
                within = min(LONGEST_WAIT, float(query.get("within", LONGEST_WAIT)))
                await self._rooms.pulse.wait(int(query["newer_than"]), within)
                await asyncio.sleep(GATHER)
            return self._answer(self._readers[noun](query))
        except (SlackError, ValueError) as error:
            return _refusal(400, f"{noun}: {error}")

    def _answer(self, result: Any) -> web.Response:
        body = to_json({"beat": self._rooms.pulse.count, "result": result})
        return web.Response(body=body, content_type="application/json")

    async def _do(self, act: Act) -> Any:
        interactivity = self._rooms.interactivity
        match act:
            case Click(channel=channel, ts=ts, action_id=action, block_id=block, value=value):
                user = self._who(act.user)
                return await interactivity.click(user, channel, ts, action, block_id=block, value=value)
            case ClickView(action_id=action, view_id=view, block_id=block, value=value):
                user = self._who(act.user)
                return await interactivity.click_view(user, action, view_id=view, block_id=block, value=value)
            case Submit(values=values, view_id=view):
                return await interactivity.submit(self._who(act.user), values, view)
            case CloseView(everything=everything):
                return await interactivity.close(self._who(act.user), everything=everything)
            case RunCommand(channel=channel, command=command, text=text):
                return await interactivity.command(self._who(act.user), channel, command, text)
            case Disconnect(reason=reason, abruptly=abruptly):
                sockets = self._rooms.courier.sockets
                return await (sockets.drop() if abruptly else sockets.disconnect(reason))
            case Post() | Edit() | Delete() | OpenHome() | Join() | Leave():
                return self._by_hand(act)
            case ChangeUser() | ChangeGroup() | Archive():
                return self._administer(act)
            case DeliverEvent() | AddFault() | ClearFaults() | PointAt() | ResetWorld():
                return self._direct(act)

    def _by_hand(self, act: Post | Edit | Delete | OpenHome | Join | Leave) -> Any:
        hands = self._rooms.hands
        match act:
            case Post(channel=channel, text=text, thread_ts=thread_ts, broadcast=broadcast, files=files):
                user = self._who(act.user)
                return hands.post(user, channel, text, thread_ts=thread_ts, broadcast=broadcast, files=files)
            case Edit(channel=channel, ts=ts, text=text):
                return hands.edit(self._who(act.user), channel, ts, text)
            case Delete(channel=channel, ts=ts):
                return hands.delete(self._who(act.user), channel, ts)
            case OpenHome(tab=tab):
                return hands.open_home(self._who(act.user), tab)
            case Join(channel=channel, user=user, inviter=inviter):
                return hands.join(user, channel, inviter)
            case Leave(channel=channel, user=user):
                return hands.leave(user, channel)

    def _administer(self, act: ChangeUser | ChangeGroup | Archive) -> Any:
        directory = self._rooms.world.directory
        match act:
            case ChangeUser(user=user_id):
                changed = _changed(directory.user(user_id), act)
                directory.users[user_id] = changed
                return changed
            case ChangeGroup(group=group_id, users=users):
                group = replace(directory.group(group_id), users=users)
                directory.groups[group_id] = group
                return group
            case Archive(channel=channel):
                return directory.archive(channel)

    def _direct(self, act: DeliverEvent | AddFault | ClearFaults | PointAt | ResetWorld) -> Any:
        rooms = self._rooms
        match act:
            case DeliverEvent(event=event, copies=copies, event_id=event_id):
                return rooms.courier.send_event(event, copies=copies, event_id=event_id)
            case AddFault(fault=fault):
                rooms.faults.add(fault)
                return rooms.pulse.beat()
            case ClearFaults():
                rooms.faults.clear()
                return rooms.pulse.beat()
            case PointAt(events=events, interactivity=interactivity, commands=commands):
                return rooms.courier.http.point_at(events, interactivity, commands)
            case ResetWorld():
                rooms.courier.forget()
                rooms.faults.clear()
                rooms.limits.clear()
                rooms.world.reset()
                return rooms.ledger.clear()

    def _who(self, user: str | None) -> str:
        return user or self._rooms.config.cast.requester

    def _messages(self, query: Mapping[str, str]) -> list[Message]:
        messages = self._rooms.world.messages
        channel, thread_ts = query.get("channel"), query.get("thread_ts")
        if channel is None:
            return messages.everywhere()
        found = messages.of_channel(self._rooms.world.directory.channel(channel).id)
        return [message for message in found if thread_ts in (None, message.root)]

    def _ephemerals(self, query: Mapping[str, str]) -> list[Any]:
        shown = self._rooms.world.messages.ephemerals.values()
        return _having(shown, query, {"user": "to", "channel": "channel"})

    def _views(self, query: Mapping[str, str]) -> list[Any]:
        return _having(self._rooms.world.views.all(), query, {"user": "user"})

    def _statuses(self, _query: Mapping[str, str]) -> list[Any]:
        messages = self._rooms.world.messages
        return [messages.status(channel, thread_ts) for channel, thread_ts in messages.statuses]

    def _calls(self, query: Mapping[str, str]) -> list[Any]:
        after = int(query.get("after", 0))
        return _having(self._rooms.ledger.calls[after:], query, {"method": "method"})

    def _deliveries(self, query: Mapping[str, str]) -> list[Any]:
        after = int(query.get("after", 0))
        names = {"event_type": "event_type", "event_id": "event_id", "kind": "kind"}
        return _having(self._rooms.ledger.deliveries[after:], query, names)

    def _link(self) -> Link:
        courier = self._rooms.courier
        return Link(
            transport=courier.transport.name,
            open_connections=courier.sockets.open_connections,
            under_way=courier.under_way,
        )


def _having(items: Iterable[Any], query: Mapping[str, str], names: Mapping[str, str]) -> list[Any]:
    """The items whose attributes equal what the query asks for; `names` maps query names to attributes."""
    wanted = {attribute: query[name] for name, attribute in names.items() if name in query}
    return [item for item in items if all(getattr(item, name) == value for name, value in wanted.items())]


def _changed(user: User, change: ChangeUser) -> User:
    return replace(
        user,
        deleted=user.deleted if change.deleted is None else change.deleted,
        is_admin=user.is_admin if change.is_admin is None else change.is_admin,
        is_restricted=user.is_restricted if change.is_restricted is None else change.is_restricted,
    )


def _refusal(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
