"""What the playground knows, as frozen records. They are also what the test door answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
ChannelKind = Literal["channel", "private", "im", "mpim"]

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a bot. `team` differs from the workspace's own for someone of another organisation."""

    id: str
    name: str
    real_name: str
    team: str
    is_admin: bool = False
    is_restricted: bool = False
    deleted: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    tz: str = "Europe/Amsterdam"
    tz_offset: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A conversation; `members` keeps the order of joining."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: tuple[str, ...] = ()
    creator: str = SLACKBOT
    created: int = 1_700_000_000
    is_archived: bool = False
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """A file without its bytes; `shared_in` lists the channels it was posted to."""

    id: str
    name: str
    title: str
    mimetype: str
    size: int
    user: str
    created: int
    shared_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A stored message.

    `ts` is its identity within the channel; `thread_ts` is set on replies and on a root that has replies.
    `revision` counts edits from zero; `edited_ts` is set only by edits that show "(edited)".
    """

    channel: str
    user: str
    ts: str = ""
    text: str = ""
    thread_ts: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None
    files: tuple[FileInfo, ...] = ()
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edited_ts: str | None = None
    revision: int = 0
    hidden: bool = False

    @property
    def root(self) -> str:
        """The ts of the thread this message is in or would open."""
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def in_channel(self) -> bool:
        """Whether the channel's own timeline shows it, not only its thread."""
        return not self.is_reply or self.subtype == "thread_broadcast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """A message only one person sees; the platform stores nothing but lets `response_url` change it."""

    channel: str
    to: str
    ts: str
    author: str
    text: str
    thread_ts: str | None = None
    blocks: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal on a person's stack, or their Home tab. `body` is the app's view with every id filled in."""

    id: str
    kind: Literal["modal", "home"]
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadStatus:
    """The "… is thinking" line below a thread, its title and suggested prompts."""

    channel: str
    thread_ts: str
    status: str = ""
    loading_messages: tuple[str, ...] = ()
    title: str = ""
    prompts: tuple[Json, ...] = ()
    expires: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One Web API call (or use of a response_url, method `response_url`).

    `at` is Unix time, `seconds` how long it took. `error` is the answer's error, `fault` the fault that was
    applied; `reply_lost` means the work was done but the caller never heard of it.
    """

    number: int
    at: float
    method: str
    args: Json
    status: int
    ok: bool
    error: str | None
    answer: Json
    seconds: float
    fault: str | None = None
    reply_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to hand something to the bot, with the bot's answer.

    `kind` is the Socket Mode name of the envelope; `failure` the retry reason it led to, if any.
    `at` is Unix time, `seconds` the time to the answer.
    """

    number: int
    at: float
    kind: Literal["events_api", "interactive", "slash_commands"]
    transport: Literal["http", "socket"]
    event_id: str | None
    event_type: str
    payload: Json
    retry_num: int
    retry_reason: str | None
    status: int | None
    body: str
    failure: str | None
    seconds: float
    ack_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a person sees after a click, a submit or a command: the bot's answer, or the client's own error.

    `errors` are the modal's field errors by block id.
    """

    ok: bool
    status: int | None
    body: str
    seconds: float
    failure: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
