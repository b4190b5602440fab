"""What people do in their clients: post, click, fill in forms, type commands."""

from bot.playground.people.hands import Attachment, Hands
from bot.playground.people.interactivity import Interactivity

__all__ = ["Attachment", "Hands", "Interactivity"]
