"""The product as a user starts it: a simulated Slack, web and worker processes, an embedded Redis they share."""

from fleet.fleet import Answer, Fleet, start_fleet
from fleet.process import BotProcess
from fleet.team import TOOL, Execution, Team

__all__ = ["TOOL", "Answer", "BotProcess", "Execution", "Fleet", "Team", "start_fleet"]
