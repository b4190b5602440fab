"""The web page: one template, one script, one stream of changes."""

from bot.playground.page.face import PageFace

__all__ = ["PageFace"]
