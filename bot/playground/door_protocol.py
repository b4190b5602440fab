"""What the test door understands: one frozen record per verb, validated by pydantic on the way in.

`user` defaults to the requester of the cast everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from bot.playground.delivery.socket_mode import DisconnectReason
from bot.playground.faults import Fault
from bot.playground.people import Attachment
from bot.playground.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    channel: str
    text: str
    user: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    channel: str
    ts: str
    text: str
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    channel: str
    ts: str
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Use an element of a message; `value` is the choice, for elements that offer one."""

    channel: str
    ts: str
    action_id: str
    user: str | None = None
    block_id: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickView:
    """Use an element of the modal on screen, or of the view `view_id`."""

    action_id: str
    user: str | None = None
    view_id: str | None = None
    block_id: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Fill in the modal on screen, by block id, and submit it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    user: str | None = None
    view_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseView:
    user: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    channel: str
    text: str = ""
    command: str = "/harness"
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHome:
    user: str | None = None
    tab: Literal["home", "messages"] = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """`user` may be the bot: somebody invites it."""

    channel: str
    user: str
    inviter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    channel: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUser:
    """Only what is given changes."""

    user: str
    deleted: bool | None = None
    is_admin: bool | None = None
    is_restricted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """Set the members of a user group."""

    group: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverEvent:
    """Deliver any inner event, `copies` times at once, all with one event id."""

    event: Json
    copies: int = 1
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFault:
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearFaults:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PointAt:
    """Where the bot listens from now on; no `events` address means Socket Mode."""

    events: str | None = None
    interactivity: str | None = None
    commands: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Socket Mode: ask all connections to reconnect, or with `abruptly` cut them without a word."""

    reason: DisconnectReason = "refresh_requested"
    abruptly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetWorld:
    """Back to the seed: no messages, no faults, full rate budgets, an empty ledger, nothing under way."""


Act: TypeAlias = (
    Post
    | Edit
    | Delete
    | Click
    | ClickView
    | Submit
    | CloseView
    | RunCommand
    | OpenHome
    | Join
    | Leave
    | ChangeUser
    | ChangeGroup
    | Archive
    | DeliverEvent
    | AddFault
    | ClearFaults
    | PointAt
    | Disconnect
    | ResetWorld
)

VERBS: Mapping[str, type[Act]] = {
    "post": Post,
    "edit": Edit,
    "delete": Delete,
    "click": Click,
    "click-view": ClickView,
    "submit": Submit,
    "close": CloseView,
    "command": RunCommand,
    "home": OpenHome,
    "join": Join,
    "leave": Leave,
    "change-user": ChangeUser,
    "change-group": ChangeGroup,
    "archive": Archive,
    "deliver": DeliverEvent,
    "fault": AddFault,
    "clear-faults": ClearFaults,
    "bot": PointAt,
    "disconnect": Disconnect,
    "reset": ResetWorld,
}
VERB_OF: Mapping[type[Act], str] = {record: verb for verb, record in VERBS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the playground reaches the bot, and how many deliveries are held back, in flight or to be retried."""

    transport: Literal["http", "socket"]
    open_connections: int
    under_way: int
