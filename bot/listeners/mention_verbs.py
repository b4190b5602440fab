"""Verbs in a thread, where slash commands do not work: ``@harness stop`` and its like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.access import Deed
from bot.ingress.payloads import Post
from bot.listeners.deeds import list_agents, retry_run, show_run, stop_run
from bot.listeners.services import Services
from bot.view import notices, runs
from bot.view.blocks import Notice, notice
from bot.view.mrkdwn import Mrkdwn
from harness_core.models import Run, RunFilter, Thread
from harness_core.states import LIVE

NOTHING_YET: Final = notice(Mrkdwn("Nothing has run in this thread yet."))

_VERB: Final = re.compile(
    r"(?P<word>stop|status|retry|restart|quiet|agents|help)|use\s+(?P<agent>\S+)", re.IGNORECASE
)
_LIVE_AT_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb, in lower case, and the agent that ``use`` names."""

    word: str
    agent: str = ""


def mention_verb(text: str) -> Verb | None:
    """The verb that ``text`` is, as a whole; None for input to an agent."""
    found = _VERB.fullmatch(text.strip())
    if found is None:
        return None
    return Verb("use", found["agent"]) if found["agent"] else Verb(found["word"].lower())


class MentionVerbs:
    """Does what a verb says and tells the person who wrote it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def obey(self, verb: Verb, post: Post) -> None:
        """:raises HarnessError: the store did not do it; nothing was told to anybody."""
        answer = await self._answer(verb, post)
        thread_ts = post.root if post.is_reply else None
        if answer is not None:
            self._services.tell(post.channel, post.user, answer, thread_ts=thread_ts)

    async def _answer(self, verb: Verb, post: Post) -> Notice | None:
        match verb.word:
            case "stop":
                return await self._stop(post)
            case "status":
                return await self._status(post)
            case "retry":
                return await self._retry(post)
            case "restart":
                return await self._restart(post)
            case "quiet":
                await self._services.control.set_quiet(post.team, post.conversation)
                return notices.quieted()
            case "use":
                return await self._use(verb.agent, post)
            case "agents":
                return list_agents(self._services)
            case _:
                return runs.mention_help()

    async def _stop(self, post: Post) -> Notice:
        run = await self._head(post)
        if run is None:
            return notices.no_live_run()
        return await stop_run(self._services, post.user, run, Deed.STOP_HERE)

    async def _status(self, post: Post) -> Notice:
        run = await self._head(post) or await self._latest(post)
        return NOTHING_YET if run is None else show_run(self._services, post.user, run, Deed.SEE_HERE)

    async def _retry(self, post: Post) -> Notice:
        run = await self._latest(post)
        return NOTHING_YET if run is None else await retry_run(self._services, post.user, run)

    async def _restart(self, post: Post) -> Notice | None:
        """Once for a post, whichever process gets its other event: a second time would stop what came in between."""
        outcome = await self._services.control.start_anew(
            post.team, post.conversation, by=post.user, names=post.names
        )
        match outcome:
            case "restarted":
                return notices.restarted()
            case "unknown":
                return NOTHING_YET
            case "duplicate":
                return None

    async def _use(self, agent: str, post: Post) -> Notice:
        known = sorted(self._services.workspace.agents)
        chosen = {name.casefold(): name for name in known}.get(agent.casefold())
        if chosen is None:
            return notices.agent_not_found(agent, known)
        await self._services.control.set_agent(post.team, post.conversation, chosen)
        return notices.agent_chosen(chosen)

    async def _thread(self, post: Post) -> Thread | None:
        return await self._services.control.find_thread(post.team, post.conversation)

    async def _latest(self, post: Post) -> Run | None:
        thread = await self._thread(post)
        if thread is None or thread.latest_run is None:
            return None
        return await self._services.control.get_run(thread.latest_run)

    async def _head(self, post: Post) -> Run | None:
        """The oldest run of the conversation that is not over: the one that runs, or would next."""
        thread = await self._thread(post)
        if thread is None:
            return None
        wanted = RunFilter(thread_id=thread.thread_id)
        page = await self._services.control.list_runs(post.team, wanted, limit=_LIVE_AT_MOST)
        live = [run for run in page.items if run.state in LIVE]
        return live[-1] if live else None
