"""Trigger ids: proof that a person has just acted. Three seconds, once.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

import secrets
from dataclasses import dataclass

from bot.playground.errors import SlackError
from bot.playground.world.clock import Clock


@dataclass(slots=True)
class _Trigger:
    user: str
    expires: float
    exchanged: bool = False


class Triggers:
    def __init__(self, clock: Clock, life: float) -> None:
        self._clock = clock
        self._life = life
        self._triggers: dict[str, _Trigger] = {}

    def issue(self, user: str) -> str:
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = _Trigger(user, self._clock.now() + self._life)
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """The person behind the trigger. Raises SlackError(invalid|expired|exchanged_trigger_id)."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self._clock.now() >= trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.exchanged = True
        return trigger.user
