"""How the execution of a run can end. Exactly one of these; each is one call to the store, or none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The agent answered. ``synthetic`` when the text stands in for an answer the model did not give."""

    output: str
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It cannot go on. ``message`` is for people, ``output`` what there was of an answer."""

    reason: str
    message: str
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Somebody stopped it."""

    by: str


@dataclass(frozen=True, slots=True)
class Parked:
    """It waits for people, and is written down as that already."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """This process is leaving; another worker goes on at once."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The lease is gone or Redis is: nothing may be written. Whoever takes over tells the rest."""


Ending = Completed | Failed | Cancelled | Parked | HandedOver | Lost
