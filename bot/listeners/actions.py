"""Buttons: Stop, Steps, Retry, and the pages of lists.

A deed is done before the click is acknowledged, since Slack never repeats a click; what is only shown comes
after. What a button carries names a run and grants nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import Deed, may
from bot.ingress.intake import PAYLOAD
from bot.ingress.payloads import Action
from bot.listeners.approval_clicks import ApprovalClicks
from bot.listeners.deeds import find_run, list_runs, resume_run, retry_run, show_run, stop_run, view_run
from bot.listeners.modals import NOT_OPENED, NotOpened, open_modal
from bot.listeners.services import Services
from bot.view import notices
from bot.view.blocks import Block, Notice
from bot.view.steps_modal import steps_modal
from bot.view.values import (
    RUN_RESUME,
    RUN_RETRY,
    RUN_SHOW,
    RUN_STEPS,
    RUN_STOP,
    RUNS_PAGE,
    STEPS_BACK,
    STEPS_MODAL,
    STEPS_NEXT,
    RunRef,
    RunsPage,
    StepsPage,
    decode,
)
from harness_core.errors import HarnessError, RunNotFound
from harness_core.models import Run
from harness_core.states import LIVE

log = structlog.get_logger(__name__)

DONE_WITHIN: Final = 2.6
"""Seconds until a click is acknowledged, whatever became of it; Slack waits three."""

Press = Callable[[Action], Awaitable[Notice | None]]
"""What a button does, and what the person is told."""

_ANY: Final = re.compile(r".*")


class Actions:
    """What each button does. Every method returns what the person is told, if anything."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def stop(self, action: Action) -> Notice | None:
        """Ends the run. In its own channel everybody may, elsewhere its requester and admins."""
        run = await self._run(action)
        if run is None:
            return notices.forged()
        said = await stop_run(
            self._services, action.user, run, _where(action, run, Deed.STOP_HERE, Deed.STOP)
        )
        # The run's own message tells everybody that it was stopped; a list in front of one person does not.
        return said if action.ephemeral or run.state not in LIVE else None

    async def retry(self, action: Action) -> Notice | None:
        """Asks the same again."""
        run = await self._run(action)
        return notices.forged() if run is None else await retry_run(self._services, action.user, run)

    async def resume(self, action: Action) -> Notice | None:
        """Lets an interrupted run go on; its message tells everybody that it does."""
        run = await self._run(action)
        if run is None:
            return notices.forged()
        said = await resume_run(self._services, action.user, run)
        return said if action.ephemeral or said != notices.resumed(run.run_id) else None

    async def show(self, action: Action) -> Notice | None:
        """A run of a list, in full."""
        run = await self._run(action)
        if run is None:
            return notices.forged()
        return show_run(self._services, action.user, run, _where(action, run, Deed.SEE_HERE, Deed.SEE))

    async def page(self, action: Action) -> Notice | None:
        """The next page of a list, in the place of this one."""
        match decode(RUNS_PAGE, action.value):
            case RunsPage(cursor=cursor, narrowed=narrowed):
                older = await list_runs(self._services, action.user, narrowed, cursor)
                self._services.respond(action, older, replace=True)
                return None
            case _:
                return notices.forged()

    async def steps(self, action: Action) -> Notice | None:
        """Opens the Steps modal."""
        run = await self._run(action)
        if run is None:
            return notices.forged()
        deed = _where(action, run, Deed.SEE_HERE, Deed.SEE)
        if not may(deed, action.user, run, self._services.admins):
            return notices.not_allowed("see this run", "Its requester or an admin")
        view = steps_modal(await view_run(self._services, run))
        self._services.background.start(self._open(action, view), "open steps")
        return None

    async def turn_steps(self, action: Action) -> Notice | None:
        """Another page of an open Steps modal, which was opened for who was allowed to see it."""
        match decode(action.action_id, action.value), decode(STEPS_MODAL, action.view_metadata):
            case StepsPage(run_id=run_id, page=page), StepsPage(run_id=shown) if run_id == shown:
                run = await find_run(self._services, run_id)
                view = steps_modal(await view_run(self._services, run), page)
                self._services.background.start(self._turn(action, view), "turn steps")
            case _:
                log.warning("a forged page of steps")
        return None

    async def _run(self, action: Action) -> Run | None:
        match decode(action.action_id, action.value):
            case RunRef(run_id=run_id):
                return await find_run(self._services, run_id)
            case _:
                return None

    async def _open(self, action: Action, view: Block) -> None:
        missed = await open_modal(self._services, action, view)
        if missed is not None:
            said = NOT_OPENED if isinstance(missed, NotOpened) else missed
            self._services.respond(action, said)

    async def _turn(self, action: Action, view: Block) -> None:
        team = self._services.installation.team
        await self._services.api.update_view(team, action.view_id, view, hash_=action.view_hash or None)


def _where(action: Action, run: Run, here: Deed, elsewhere: Deed) -> Deed:
    return here if run.channel and run.channel == action.channel else elsewhere


def register(app: AsyncApp, services: Services) -> None:
    """One listener for each button; what no button of ours carries is acknowledged and left alone."""
    actions, clicks = Actions(services), ApprovalClicks(services)
    deeds: dict[str, Press] = {
        RUN_STOP: actions.stop,
        RUN_RETRY: actions.retry,
        RUN_RESUME: actions.resume,
        RUN_STEPS: actions.steps,
        RUN_SHOW: actions.show,
        RUNS_PAGE: actions.page,
        STEPS_BACK: actions.turn_steps,
        STEPS_NEXT: actions.turn_steps,
        **clicks.deeds,
    }

    async def press(ack: AsyncAck, context: AsyncBoltContext) -> None:
        action: Action = context[PAYLOAD]
        if (deed := deeds.get(action.action_id)) is not None:
            await _obeyed(services, deed, action)
        await ack()

    app.action(_ANY)(press)


async def _obeyed(services: Services, deed: Press, action: Action) -> None:
    """A deed is never cut off: of one that takes too long is told when it is known what became of it."""
    doing = asyncio.ensure_future(_answered(services, deed, action))
    done, _ = await asyncio.wait({doing}, timeout=DONE_WITHIN)
    if not done:
        services.background.start(_finish(doing), "late answer to a click")


async def _answered(services: Services, deed: Press, action: Action) -> None:
    try:
        said = await deed(action)
    except RunNotFound as error:
        said = notices.run_not_found(error.run_id)
    except HarnessError as error:
        log.warning("a click could not be obeyed", action=action.action_id, error=repr(error))
        said = notices.not_saved()
    except Exception:
        log.exception("a click was not foreseen", action=action.action_id)
        said = notices.unforeseen()
    if said is not None:
        services.respond(action, said)


async def _finish(doing: asyncio.Future[None]) -> None:
    await doing
