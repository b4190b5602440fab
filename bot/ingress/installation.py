"""Whose bot this process is: the team, the bot's own ids, and the token that speaks for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One team's installation, as ``auth.test`` tells it."""

    team: str
    team_name: str
    bot_user: str
    bot_id: str
    url: str = ""
    token: str = field(repr=False)

    def is_me(self, user: str, bot_id: str) -> bool:
        """Whether an author with these ids is this bot itself."""
        return user == self.bot_user or (bool(bot_id) and bot_id == self.bot_id)
