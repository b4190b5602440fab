"""A local stand-in for Slack: Web API, signed events, Socket Mode, limits, faults, and a page to try it.

It is a peer of Slack: a bot meets it only through Slack's own protocols, and it imports nothing of the bot.
"""

from bot.playground.config import Cast, PlaygroundConfig
from bot.playground.door_client import Door, DoorRefused
from bot.playground.server import Playground, start_playground

__all__ = ["Cast", "Door", "DoorRefused", "Playground", "PlaygroundConfig", "start_playground"]
