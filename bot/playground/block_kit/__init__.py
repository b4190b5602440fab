"""Block Kit as the platform checks it: what is refused, with its error names and messages."""

from bot.playground.block_kit.surfaces import checked_blocks, checked_view

__all__ = ["checked_blocks", "checked_view"]
