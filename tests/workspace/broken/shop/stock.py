"""What the shop has."""

from __future__ import annotations


def order(article: str) -> str:
    """Order an article."""
    return f"ordered {article}"


def count(article: str) -> int:
    """How many of an article there are."""
    return len(article)
