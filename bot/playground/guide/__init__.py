"""The guide through the playground."""

from bot.playground.guide.guide import Guide
from bot.playground.guide.steps import GuideView, Target

__all__ = ["Guide", "GuideView", "Target"]
