"""Opening a modal while its trigger id lives, which is three seconds from the click, and filling it in later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bot.delivery.answers import Answer, Done, RateLimited, Unclear
from bot.ingress.payloads import Action
from bot.listeners.services import Services
from bot.view import notices
from bot.view.approval_modals import closing_modal, loading_modal
from bot.view.blocks import Block, Notice, notice
from bot.view.mrkdwn import Mrkdwn
from harness_core.errors import HarnessError

log = structlog.get_logger(__name__)

NOT_OPENED: Final = notice(Mrkdwn("That could not be opened. Press the button again."))
MAY_BE_OPEN: Final = notice(
    Mrkdwn("Slack did not say whether the form opened. If you see none, press the button again.")
)
NOT_SHOWN: Final = notice(
    Mrkdwn("Slack could not show the form that you opened, so nothing was changed. Open it again.")
)
DONE: Final = notice(Mrkdwn("This is done. You can close this."))

FILL_WITHIN: Final = 20.0
"""Seconds that an open modal says that it is loading. What goes on behind it goes on."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Slack did not open it."""


async def open_modal(services: Services, action: Action, view: Block) -> Notice | NotOpened | None:
    """Opens a complete modal; what to tell where nobody knows whether it opened."""
    opened = await _open(services, action, view)
    return None if isinstance(opened, Done) else opened


async def open_loading(
    services: Services, action: Action, title: str, make: Callable[[], Awaitable[Block | Notice]]
) -> Notice | NotOpened | None:
    """Opens one that says "loading", and puts what ``make`` gives in its place once it is there."""
    match await _open(services, action, loading_modal(title)):
        case Done(data={"view": {"id": str(view_id)}}):
            services.background.start(fill(services, action.user, view_id, make()), "fill a modal")
            return None
        case Done():
            return MAY_BE_OPEN
        case missed:
            return missed


async def fill(services: Services, user: str, view_id: str, making: Awaitable[Block | Notice | None]) -> None:
    """Puts what ``making`` gives into an open modal: a view, or what to tell; None is that it is done.

    ``making`` is never cut off, since it may be a decision. Where the modal takes nothing, ``user`` is told directly.
    """
    try:
        async with asyncio.timeout(FILL_WITHIN):
            made = await asyncio.shield(making)
    except HarnessError as error:
        log.warning("a modal could not be filled in", error=repr(error))
        made = notices.not_saved()
    except Exception:
        log.exception("a modal was not filled in, for a reason that was not foreseen")
        made = notices.unforeseen()
    view = closing(made or DONE) if made is None or isinstance(made, Notice) else made
    if not await _put(services, view_id, view) and made is not None:
        services.tell_directly(user, made if isinstance(made, Notice) else NOT_SHOWN)


async def _put(services: Services, view_id: str, view: Block) -> bool:
    """Whether the modal shows ``view``. Doing it twice does no harm."""
    team = services.installation.team
    answer = await services.api.update_view(team, view_id, view)
    match answer:
        case RateLimited(seconds=seconds) if seconds <= FILL_WITHIN:
            await asyncio.sleep(seconds)
        case Unclear():
            pass
        case _:
            return isinstance(answer, Done)
    return isinstance(await services.api.update_view(team, view_id, view), Done)


def closing(said: Notice) -> Block:
    """The modal that says why there is nothing more to do in it."""
    return closing_modal(Mrkdwn(said.text))


async def _open(services: Services, action: Action, view: Block) -> Done | Notice | NotOpened:
    """Waits for Slack's answer however late it is: a modal may be on the screen long before it comes."""
    answer: Answer = await services.api.open_view(services.installation.team, action.trigger_id, view)
    match answer:
        case Done():
            return answer
        case Unclear(sent=True, answered=False):
            return MAY_BE_OPEN
        case _:
            return NotOpened()
