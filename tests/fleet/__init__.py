"""The product as a user starts it: a simulated Slack, web and worker processes, an embedded Redis they share."""

from fleet.effects import Effect, Effects
from fleet.fleet import Answer, Fleet, start_fleet
from fleet.process import Armed, BotProcess
from fleet.request import Request
from fleet.team import ACT, ACT_AGAIN, TOOL, Execution, Team

__all__ = [
    "ACT",
    "ACT_AGAIN",
    "TOOL",
    "Answer",
    "Armed",
    "BotProcess",
    "Effect",
    "Effects",
    "Execution",
    "Fleet",
    "Request",
    "Team",
    "start_fleet",
]
