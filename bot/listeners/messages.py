"""Messages: what starts a run, what is a verb, what is for somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bot.ingress.intake import Taken
from bot.ingress.once import Once
from bot.ingress.payloads import Deleted, Post
from bot.listeners.mention_verbs import MentionVerbs, mention_verb
from bot.listeners.services import Services
from bot.view import notices
from bot.view.blocks import Notice
from harness_core.models import Accepted, Duplicate, Refused, RunFilter, Submission
from harness_core.states import RunState

_RECEIPT: Final = "eyes"
_WORKER_PATIENCE: Final = 3.0
_QUEUED_AT_MOST: Final = 100


class Messages:
    """What becomes of the messages that come in. Returns once the outcome is stored, and raises if it cannot be."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._verbs = MentionVerbs(services)
        # The two events of one post would otherwise do a verb, or tell a person something, twice.
        self._once = Once()

    async def take(self, post: Post) -> Taken:
        """Stores ``post`` as a run, obeys it, or leaves it alone.

        :raises HarnessError: the store did not do it; the message must come again.
        """
        verb = mention_verb(post.text) if post.mentioned else None
        if verb is not None:
            return await self._first(post, lambda: self._verbs.obey(verb, post))
        if post.addressed and not post.text:
            return await self._first(post, lambda: self._ask_for_text(post))
        if post.text and (post.addressed or post.is_reply):
            return await self._submit(post)
        return "left"

    async def withdraw(self, deleted: Deleted) -> None:
        """Takes the run of a deleted message out of the line, if it has not begun.

        :raises HarnessError: the store did not do it.
        """
        control, team = self._services.control, self._services.installation.team
        thread = await control.find_thread(team, deleted.conversation)
        if thread is None:
            return
        waiting = RunFilter(thread_id=thread.thread_id, state=RunState.QUEUED)
        for run in (await control.list_runs(team, waiting, limit=_QUEUED_AT_MOST)).items:
            if run.target.get("ts") == deleted.ts:
                await control.cancel(run.run_id, deleted.user)

    async def _first(self, post: Post, deed: Callable[[], Awaitable[None]]) -> Taken:
        return "done" if await self._once.do((post.channel, post.ts), deed) else "duplicate"

    async def _submit(self, post: Post) -> Taken:
        match await self._services.control.submit(self._submission(post)):
            case Accepted(position=position):
                self._services.background.start(self._welcome(post, position), "receipt")
                return "done"
            case Duplicate():
                return "duplicate"
            case Refused(reason=reason):
                if reason == "not_followed":
                    return "left"
                self._tell(post, notices.inbox_full(reason))
                return "done"

    def _submission(self, post: Post) -> Submission:
        channel = self._services.workspace.channels.get(post.channel)
        follow = channel.follow if channel is not None else "thread"
        names = (f"event:{post.event_id}",) if post.event_id else ()
        return Submission(
            tenant=post.team,
            conversation=post.conversation,
            user=post.user,
            text=post.text,
            dedupe=(*names, f"post:{post.channel}:{post.ts}"),
            target={
                "team": post.team,
                "channel": post.channel,
                "channel_type": post.channel_type,
                "thread_ts": post.root,
                "ts": post.ts,
                "user": post.user,
            },
            addressed=post.addressed,
            channel=post.channel,
            # A reply to somebody else starts nothing, but its author counts as a second voice in the thread.
            follow="mention" if post.for_others else follow,
            shared=not post.direct,
        )

    async def _welcome(self, post: Post, position: int) -> None:
        """A receipt for who waits behind another run, a word where nobody works at all."""
        services = self._services
        if position > 0:
            await services.api.add_reaction(post.team, post.channel, post.ts, _RECEIPT)
        if await services.control.alive_workers():
            return
        await asyncio.sleep(_WORKER_PATIENCE)  # one may just be starting
        if not await services.control.alive_workers():
            self._tell(post, notices.no_worker())

    async def _ask_for_text(self, post: Post) -> None:
        self._tell(post, notices.empty_mention())

    def _tell(self, post: Post, notice: Notice) -> None:
        # Slack shows an ephemeral reply only in a thread that exists.
        thread_ts = post.root if post.is_reply else None
        self._services.tell(post.channel, post.user, notice, thread_ts=thread_ts)
