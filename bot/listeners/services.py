"""What listeners work with, and the two ways they speak to one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bot.delivery.answers import Done
from bot.delivery.web_api import WebApi
from bot.ingress.installation import Installation
from bot.ingress.payloads import Action, Command
from bot.listeners.background import Background
from bot.metrics import Metrics
from bot.people import People
from bot.view.blocks import Notice
from harness_core import Approvals, Control, Workspace, WorkspaceHolder

ANSWER_WITHIN: Final = 2.0
"""Seconds a click or a command may work before it is acknowledged; Slack waits three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Made once by the composition root; ``named_admins`` are those the operator added to the workspace's."""

    control: Control
    approvals: Approvals
    people: People
    metrics: Metrics
    holder: WorkspaceHolder
    api: WebApi
    installation: Installation
    background: Background
    named_admins: frozenset[str]

    @property
    def workspace(self) -> Workspace:
        return self.holder.current

    @property
    def admins(self) -> frozenset[str]:
        return self.named_admins | frozenset(self.workspace.runtime.admins)

    def tell(self, channel: str, user: str, notice: Notice, *, thread_ts: str | None = None) -> None:
        """Shows ``notice`` to one person, later; nothing waits for it and nothing depends on it."""
        self.background.start(self._tell(channel, user, notice, thread_ts), "tell a person")

    def tell_directly(self, user: str, notice: Notice) -> None:
        """Writes ``notice`` to one person, later, where no channel is known to show it in."""
        self.background.start(self._tell_directly(user, notice), "write to a person")

    def respond(self, to: Action | Command, notice: Notice, *, replace: bool = False) -> None:
        """Answers a click or a command, later: at the address that came with it, else as one person's message.

        The address stands for the channel: without a thread Slack shows the answer there, and whoever
        pressed a button in a thread does not see it.
        """
        self.background.start(self._respond(to, notice, replace=replace), "respond")

    async def _tell(self, channel: str, user: str, notice: Notice, thread_ts: str | None) -> None:
        team = self.installation.team
        await self.api.post_ephemeral(
            team, channel, user, notice.text, blocks=notice.blocks, thread_ts=thread_ts
        )

    async def _tell_directly(self, user: str, notice: Notice) -> None:
        await self.api.post_message(self.installation.team, user, notice.text, blocks=notice.blocks)

    async def _respond(self, to: Action | Command, notice: Notice, *, replace: bool) -> None:
        thread = to.thread_ts if isinstance(to, Action) else None
        if to.response_url:
            body = ephemeral(notice) | {"replace_original": replace}
            body |= {"thread_ts": thread} if thread and not replace else {}
            if isinstance(await self.api.respond(to.response_url, body), Done):
                return
        if to.channel:
            await self._tell(to.channel, to.user, notice, thread)


def ephemeral(notice: Notice) -> dict[str, Any]:
    """The body of an answer that only one person sees."""
    return {"response_type": "ephemeral", "text": notice.text, "blocks": list(notice.blocks)}
