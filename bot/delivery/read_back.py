"""Whether a post of unknown outcome happened: the thread is read for the nonce in its message metadata.

Any app in the workspace can read and copy metadata, so a nonce proves nothing about who posted. The worst a
copy can do is to be edited in our stead, which Slack refuses, and then the message is posted anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.delivery.answers import Answer, Done, RateLimited, Refused, Unclear
from harness_core.models import Delivery

EVENT_TYPE: Final = "harness_run"
PAGES: Final = 20
"""Of 200 messages, from the one that asked. A post of ours is on one of the first."""


@dataclass(frozen=True, slots=True)
class Found:
    """It happened; ``ts`` names it."""

    ts: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It did not happen."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The thread could not be read: ``answer`` says why."""

    answer: RateLimited | Refused | Unclear


Finding = Found | Absent | Unknown
ReadPage = Callable[[str | None], Awaitable[Answer]]


def metadata(record: Delivery) -> dict[str, Any]:
    """What every message of a run carries: ids only, since anybody in the workspace may read it."""
    payload = {"run_id": record.run_id, "part": record.part, "nonce": record.nonce}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


async def find_post(record: Delivery, read_page: ReadPage) -> Finding:
    """Looks for the message of ``record``; ``read_page`` reads the page at a cursor."""
    cursor: str | None = None
    for _ in range(PAGES):
        match await read_page(cursor):
            case Done(data=data):
                for message in data.get("messages") or ():
                    if _is_it(message, record):
                        return Found(str(message["ts"]))
                cursor = _next_cursor(data)
                if cursor is None:
                    return Absent()
            case Refused(error="thread_not_found"):
                return Absent()
            case RateLimited() | Refused() | Unclear() as answer:
                return Unknown(answer)
    return Absent()


def _is_it(message: Mapping[str, Any], record: Delivery) -> bool:
    match message.get("metadata"):
        case {"event_type": str(kind), "event_payload": {"run_id": str(run_id), "nonce": str(nonce)}}:
            return (kind, run_id, nonce) == (EVENT_TYPE, record.run_id, record.nonce)
        case _:
            return False


def _next_cursor(data: Mapping[str, Any]) -> str | None:
    return (data.get("response_metadata") or {}).get("next_cursor") or None
