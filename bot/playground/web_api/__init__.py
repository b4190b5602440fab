"""The Web API: one module per family of methods, one face over HTTP."""

from bot.playground.web_api.face import WebApi
from bot.playground.web_api.method import Api

__all__ = ["Api", "WebApi"]
