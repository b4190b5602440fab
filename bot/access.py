"""Whether this person may do this. Asked at the moment of the deed, on the server, never by hiding a button."""

from __future__ import annotations

from enum import Enum, auto

from harness_core.models import Run


class Deed(Enum):
    """What people do to runs."""

    STOP_HERE = auto()  # from the channel it runs in: its button, or a mention in its thread
    STOP = auto()  # from anywhere else
    RETRY = auto()  # and to let one go on that was interrupted
    SEE_HERE = auto()  # from the channel it runs in
    SEE = auto()  # from anywhere else
    SEE_ALL = auto()  # the lists of everybody's runs
    OPERATE = auto()  # pause, reload, look at the whole


def may(deed: Deed, user: str, run: Run | None, admins: frozenset[str]) -> bool:
    """Whether ``user`` may do this to ``run`` (None where the deed is about no single run).

    Everybody in a channel sees what its runs do, so everybody there may look at them and stop them. A run is that of
    whoever triggered, retried or steered it.
    """
    if user in admins or deed in (Deed.STOP_HERE, Deed.SEE_HERE):
        return True
    return run is not None and (user == run.user or user in run.requesters)
