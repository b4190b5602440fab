"""A typed client for the test door, for tests anywhere in the project and for load generators."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import aiohttp
from pydantic import TypeAdapter

from bot.playground.door_protocol import (
    VERB_OF,
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
from bot.playground.errors import PlaygroundError
from bot.playground.faults import ApiFault, DeliveryFault, Fault
from bot.playground.people import Attachment
from bot.playground.records import (
    ApiCall,
    Channel,
    Delivery,
    Ephemeral,
    Message,
    Outcome,
    ThreadStatus,
    User,
    View,
)

T = TypeVar("T")

# Conditions may also look at things the playground does not know of, so they are tried this often at least.
LONGEST_SILENCE = 0.5


class DoorRefused(PlaygroundError):
    """The door did not understand (400), or a person could not do that in their client (409)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """Acts as people and reads everything; use it as an async context manager, or `close` it.

    `user` is the requester of the cast where it is not given. `url` is `Playground.door_url`.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # Acting as a person

    async def post(
        self,
        channel: str,
        text: str,
        *,
        user: str | None = None,
        thread_ts: str | None = None,
        broadcast: bool = False,
        files: Iterable[Attachment] = (),
    ) -> Message:
        """`text` is in the platform's markup: a mention is `<@U0BOT>`. The bot's user id as channel is the DM."""
        act = Post(
            channel=channel,
            text=text,
            user=user,
            thread_ts=thread_ts,
            broadcast=broadcast,
            files=tuple(files),
        )
        return await self._act(act, Message)

    async def edit(self, channel: str, ts: str, text: str, *, user: str | None = None) -> Message:
        return await self._act(Edit(channel=channel, ts=ts, text=text, user=user), Message)

    async def delete(self, channel: str, ts: str, *, user: str | None = None) -> None:
        await self._do(Delete(channel=channel, ts=ts, user=user))

    async def click(
        self,
        message: Message | Ephemeral,
        action_id: str,
        *,
        user: str | None = None,
        block_id: str | None = None,
        value: Any = None,
    ) -> Outcome:
        """Waits for the bot's acknowledgement. A missing button raises DoorRefused."""
        act = Click(
            channel=message.channel,
            ts=message.ts,
            action_id=action_id,
            user=user,
            block_id=block_id,
            value=value,
        )
        return await self._act(act, Outcome)

    async def click_view(
        self,
        action_id: str,
        *,
        user: str | None = None,
        view_id: str | None = None,
        block_id: str | None = None,
        value: Any = None,
    ) -> Outcome:
        act = ClickView(action_id=action_id, user=user, view_id=view_id, block_id=block_id, value=value)
        return await self._act(act, Outcome)

    async def submit(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        user: str | None = None,
        view_id: str | None = None,
    ) -> Outcome:
        """Fill in the modal on screen, by block id, and submit it; field errors are in the outcome."""
        return await self._act(Submit(values=dict(values or {}), user=user, view_id=view_id), Outcome)

    async def close_view(self, *, user: str | None = None, everything: bool = False) -> Outcome:
        return await self._act(CloseView(user=user, everything=everything), Outcome)

    async def command(
        self,
        channel: str,
        text: str = "",
        *,
        command: str = "/harness",
        user: str | None = None,
    ) -> Outcome:
        return await self._act(RunCommand(channel=channel, text=text, command=command, user=user), Outcome)

    async def open_home(self, *, user: str | None = None) -> None:
        await self._do(OpenHome(user=user))

    async def join(self, channel: str, user: str, *, inviter: str | None = None) -> Channel:
        return await self._act(Join(channel=channel, user=user, inviter=inviter), Channel)

    async def leave(self, channel: str, user: str) -> Channel:
        return await self._act(Leave(channel=channel, user=user), Channel)

    async def change_user(
        self,
        user: str,
        *,
        deleted: bool | None = None,
        is_admin: bool | None = None,
        is_restricted: bool | None = None,
    ) -> User:
        act = ChangeUser(user=user, deleted=deleted, is_admin=is_admin, is_restricted=is_restricted)
        return await self._act(act, User)

    async def change_group(self, group: str, users: Iterable[str]) -> None:
        await self._do(ChangeGroup(group=group, users=tuple(users)))

    async def archive(self, channel: str) -> None:
        await self._do(Archive(channel=channel))

    # Directing the playground

    async def deliver(self, event: Mapping[str, Any], *, copies: int = 1, event_id: str | None = None) -> str:
        """Deliver an inner event, `copies` times at once; the event id they share."""
        return await self._act(DeliverEvent(event=dict(event), copies=copies, event_id=event_id), str)

    async def fault(self, fault: ApiFault | DeliveryFault) -> None:
        await self._do(AddFault(fault=fault))

    async def faults(self) -> list[ApiFault | DeliveryFault]:
        """Those in force, oldest first."""
        return await self._read("faults", list[Fault])

    async def clear_faults(self) -> None:
        await self._do(ClearFaults())

    async def point_at(self, bot_url: str | None) -> None:
        """Send everything to this address from now on; None means Socket Mode."""
        await self._do(PointAt(events=bot_url))

    async def disconnect(self, *, abruptly: bool = False) -> int:
        """Socket Mode: how many connections were asked to go, or cut."""
        return await self._act(Disconnect(abruptly=abruptly), int)

    async def reset(self) -> None:
        await self._do(ResetWorld())

    # Looking

    async def messages(self, channel: str | None = None, *, thread_ts: str | None = None) -> list[Message]:
        """Oldest first; with `thread_ts` the root and its replies."""
        return await self._read("messages", list[Message], channel=channel, thread_ts=thread_ts)

    async def message(self, channel: str, ts: str) -> Message | None:
        return next((found for found in await self.messages(channel) if found.ts == ts), None)

    async def ephemerals(self, *, user: str | None = None, channel: str | None = None) -> list[Ephemeral]:
        return await self._read("ephemerals", list[Ephemeral], user=user, channel=channel)

    async def views(self, *, user: str | None = None) -> list[View]:
        return await self._read("views", list[View], user=user)

    async def statuses(self) -> list[ThreadStatus]:
        return await self._read("statuses", list[ThreadStatus])

    async def calls(self, method: str | None = None, *, after: int = 0) -> list[ApiCall]:
        """Web API calls in order, those with a number above `after`."""
        return await self._read("calls", list[ApiCall], method=method, after=str(after))

    async def deliveries(
        self,
        event_type: str | None = None,
        *,
        event_id: str | None = None,
        after: int = 0,
    ) -> list[Delivery]:
        """Attempts in the order they ended, with the bot's answers."""
        query = {"event_type": event_type, "event_id": event_id, "after": str(after)}
        return await self._read("deliveries", list[Delivery], **query)

    async def channels(self) -> list[Channel]:
        return await self._read("channels", list[Channel])

    async def users(self) -> list[User]:
        return await self._read("users", list[User])

    async def link(self) -> Link:
        return await self._read("link", Link)

    # Waiting

    async def wait_for(
        self,
        probe: Callable[[], Awaitable[T | None]],
        *,
        within: float = 10.0,
        what: str = "the condition",
    ) -> T:
        """The first truthy answer of `probe`, tried after every change. Raises TimeoutError naming `what`."""
        deadline = asyncio.get_running_loop().time() + within
        beat = await self._beat({})
        while not (found := await probe()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise TimeoutError(f"Not within {within} s: {what}. {await self._account()}")
            beat = await self._beat({"newer_than": str(beat), "within": str(min(left, LONGEST_SILENCE))})
        return found

    async def wait_for_message(
        self,
        channel: str,
        matches: Callable[[Message], bool],
        *,
        thread_ts: str | None = None,
        within: float = 10.0,
        what: str = "a message that matches",
    ) -> Message:
        """The oldest message of the channel or thread for which `matches` is true."""

        async def probe() -> Message | None:
            found = await self.messages(channel, thread_ts=thread_ts)
            return next((message for message in found if matches(message)), None)

        return await self.wait_for(probe, within=within, what=what)

    async def _account(self) -> str:
        calls = [f"{c.method} {c.error or c.status}" for c in (await self.calls())[-8:]]
        said = [f"{message.user}: {message.text[:80]!r}" for message in (await self.messages())[-8:]]
        return f"Last calls: {calls}. Last messages: {said}."

    async def _beat(self, query: Mapping[str, str]) -> int:
        return cast("int", (await self._request("GET", "beat", query, None))["beat"])

    async def _act(self, act: Act, kind: type[T]) -> T:
        return _parsed(kind, await self._do(act))

    async def _do(self, act: Act) -> Any:
        return (await self._request("POST", VERB_OF[type(act)], {}, asdict(act)))["result"]

    async def _read(self, noun: str, kind: type[T], **query: str | None) -> T:
        given = {name: value for name, value in query.items() if value is not None}
        return _parsed(kind, (await self._request("GET", noun, given, None))["result"])

    async def _request(self, verb: str, path: str, query: Mapping[str, str], body: Any) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        async with self._session.request(verb, f"{self._url}/{path}", params=query, json=body) as answer:
            content = await answer.json()
        if answer.status != 200:
            raise DoorRefused(answer.status, content["error"])
        return cast("dict[str, Any]", content)


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _parsed(kind: type[T], value: Any) -> T:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return cast("T", _ADAPTERS[kind].validate_python(value))
