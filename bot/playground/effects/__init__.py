"""The effect counter: a program of its own, outside the bot, that counts what tools really did.

A tool of the example team changes nothing real: it posts here, and that post is its effect. So the count is
what happened, whatever the bot believes. Answers can be held back, to kill the bot inside a tool.
"""

from bot.playground.effects.counter import Effect, EffectCounter
from bot.playground.effects.follower import Effects

__all__ = ["Effect", "EffectCounter", "Effects"]
