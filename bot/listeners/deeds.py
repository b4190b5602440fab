"""What people do to runs from Slack, whichever way they ask for it: each is checked, done, and put in a sentence."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from bot.access import Deed, may
from bot.listeners.links import run_link
from bot.listeners.services import Services
from bot.view import notices, runs
from bot.view.blocks import Notice, notice
from bot.view.fold import RunView, fold, start
from bot.view.mrkdwn import Mrkdwn
from harness_core.errors import RunNotFound
from harness_core.models import Accepted, Duplicate, Refused, Run, RunFilter, Steered
from harness_core.states import LIVE

STILL_GOING: Final = notice(Mrkdwn("This run is still going. Stop it first."))

_OWNERS: Final = "Its requester or an admin"


async def find_run(services: Services, run_id: str) -> Run:
    """The run of this id in this team.

    :raises RunNotFound: there is none, or it is another team's.
    """
    run = await services.control.get_run(run_id)
    if run.tenant != services.installation.team:
        raise RunNotFound(run_id)
    return run


async def view_run(services: Services, run: Run) -> RunView:
    """The run as its events tell it."""
    return fold(start(run), await services.control.list_events(run.run_id))


async def stop_run(services: Services, user: str, run: Run, deed: Deed) -> Notice:
    """Ends the run, or asks its worker to; ``deed`` says from where it was asked."""
    if not may(deed, user, run, services.admins):
        return notices.not_allowed("stop this run", _OWNERS)
    outcome = await services.control.cancel(run.run_id, user)
    return notices.stop_outcome(outcome, await view_run(services, run), user)


async def retry_run(services: Services, user: str, run: Run) -> Notice:
    """Asks the same again, in the same place."""
    if not may(Deed.RETRY, user, run, services.admins):
        return notices.not_allowed("retry this run", _OWNERS)
    if run.state in LIVE:
        return STILL_GOING
    match await services.control.retry(run.run_id, user):
        case Accepted(run_id=run_id) | Steered(run_id=run_id) | Duplicate(run_id=run_id):
            return notices.retrying(run_id)
        case Refused(reason=("thread_full" | "tenant_full") as reason):
            return notices.inbox_full(reason)
        case Refused():
            return notices.thread_gone()


async def resume_run(services: Services, user: str, run: Run) -> Notice:
    """Lets a run go on that was left where its worker was lost."""
    if not may(Deed.RETRY, user, run, services.admins):
        return notices.not_allowed("resume this run", _OWNERS)
    gone_on = await services.control.carry_on(run.run_id)
    return notices.resumed(run.run_id) if gone_on else notices.not_held()


def show_run(services: Services, user: str, run: Run, deed: Deed) -> Notice:
    """One run in full."""
    if not may(deed, user, run, services.admins):
        return notices.not_allowed("see this run", _OWNERS)
    return runs.run_detail(run, url=run_link(run, services.installation), now_ms=_now())


async def list_runs(services: Services, user: str, narrowed: RunFilter, cursor: str | None = None) -> Notice:
    """A page of the runs that ``user`` may see."""
    if not may(Deed.SEE_ALL, user, None, services.admins):
        if narrowed.user not in (None, user):
            return notices.not_allowed("list other people's runs", "An admin")
        narrowed = replace(narrowed, user=user)
    team = services.installation.team
    page = await services.control.list_runs(team, narrowed, cursor=cursor, limit=runs.ROWS)
    known = {run.run_id: run_link(run, services.installation) for run in page.items}
    links = {run_id: link for run_id, link in known.items() if link is not None}
    return runs.runs_list(page, narrowed=narrowed, links=links, now_ms=_now())


def list_agents(services: Services) -> Notice:
    """The agents that can be asked."""
    agents = services.workspace.agents
    return runs.agents_list([(name, agent.description) for name, agent in sorted(agents.items())])


def _now() -> int:
    return round(time.time() * 1000)
