"""Messages: what starts a run, what is a verb, what is for somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bot.delivery.target import place_of
from bot.ingress.intake import Taken
from bot.ingress.once import Once
from bot.ingress.payloads import Deleted, Edited, OwnDeleted, Post
from bot.listeners.mention_verbs import MentionVerbs, mention_verb
from bot.listeners.services import Services
from bot.view import notices
from bot.view.blocks import Notice
from harness_core.models import Accepted, Duplicate, Refused, Steered, Submission

_RECEIPT: Final = "eyes"
_WORKER_PATIENCE: Final = 3.0


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
        if post.is_reply:  # what stands above it in the thread is out of sight
            await self._services.control.note_post(post.team, post.conversation, place_of(post.ts))
        verb = mention_verb(post.text) if post.mentioned else None
        if verb is not None:
            return await self._first(post, lambda: self._verbs.obey(verb, post))
        if post.addressed and not post.text:
            return await self._first(post, lambda: self._ask_for_text(post))
        if post.text and (post.addressed or post.is_reply):
            return await self._submit(post)
        return "left"

    async def withdraw(self, deleted: Deleted) -> None:
        """Takes a deleted message out of the line, if nothing has begun with it.

        :raises HarnessError: the store did not do it.
        """
        team = self._services.installation.team
        await self._services.control.withdraw(team, deleted.name, deleted.user)

    async def show_again(self, gone: OwnDeleted) -> None:
        """Has a live run looked at that was shown by a message which is gone; what is still needed appears again.

        Only what the records of deliveries still name counts, so whoever wants a message away for good takes it out
        of those first.

        :raises HarnessError: the store did not do it.
        """
        await self._services.control.show_again(gone.team, gone.conversation, gone.ts)

    async def amend(self, edited: Edited) -> None:
        """Lets what has not begun with a message begin with its new text; a run at work reads a correction.

        :raises HarnessError: the store did not do it.
        """
        if not edited.text:
            return
        moved = await self._services.control.amend(
            edited.team, edited.name, edited.text, by=edited.user, stamp=edited.stamp
        )
        if moved.outcome == "corrected":
            self._services.background.start(
                self._acknowledge(edited.team, edited.channel, edited.ts), "receipt"
            )

    async def _first(self, post: Post, deed: Callable[[], Awaitable[None]]) -> Taken:
        return "done" if await self._once.do((post.channel, post.ts), deed) else "duplicate"

    async def _submit(self, post: Post) -> Taken:
        match await self._services.control.submit(self._submission(post)):
            case Accepted(position=position):
                self._services.background.start(self._welcome(post, receipt=position > 0), "receipt")
                return "done"
            case Steered():
                self._services.background.start(self._welcome(post, receipt=True), "receipt")
                return "done"
            case Duplicate():
                return "duplicate"
            case Refused(reason=reason):
                if reason == "not_followed":
                    return "left"
                self._tell(post, notices.busy() if reason == "busy" else notices.inbox_full(reason))
                return "done"

    def _submission(self, post: Post) -> Submission:
        channel = self._services.workspace.channels.get(post.channel)
        follow = channel.follow if channel is not None else "thread"
        return Submission(
            tenant=post.team,
            conversation=post.conversation,
            user=post.user,
            text=post.text,
            dedupe=post.names,
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
            while_running=self._services.workspace.runtime.concurrency.while_running,
        )

    async def _welcome(self, post: Post, *, receipt: bool) -> None:
        """A receipt for who waits behind another run or wrote to it, a word where nobody works at all."""
        services = self._services
        if receipt:
            await self._acknowledge(post.team, post.channel, post.ts)
        if (await services.control.switches()).draining:
            self._tell(post, notices.drained())
            return
        if await services.control.alive_workers():
            return
        await asyncio.sleep(_WORKER_PATIENCE)  # one may just be starting
        if not await services.control.alive_workers():
            self._tell(post, notices.no_worker())

    async def _acknowledge(self, team: str, channel: str, ts: str) -> None:
        await self._services.api.add_reaction(team, channel, ts, _RECEIPT)

    async def _ask_for_text(self, post: Post) -> None:
        self._tell(post, notices.empty_mention())

    def _tell(self, post: Post, notice: Notice) -> None:
        # Slack shows an ephemeral reply only in a thread that exists.
        thread_ts = post.root if post.is_reply else None
        self._services.tell(post.channel, post.user, notice, thread_ts=thread_ts)
