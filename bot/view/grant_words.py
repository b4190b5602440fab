"""The copy deck of grants. What is filled in was escaped before it came here, as in :mod:`bot.view.words`."""

from collections.abc import Sequence
from typing import Final

from bot.view.mrkdwn import Mrkdwn
from bot.view.words import count

_M = Mrkdwn

GRANTS: Final = "Grants"
REVOKE: Final = "Revoke"
MODAL_TITLE: Final = "Approve and grant"
NO_GRANTS: Final = _M("No grants.")
REVOKE_QUESTION: Final = "Revoke this grant?"
REVOKE_EFFECT: Final = "From then on every such call is asked about."
NOT_GRANTABLE: Final = _M("Nothing more can be granted with this request. Nothing was decided.")
UNKNOWN_GRANT: Final = _M("This grant is gone, with the run that it was given in. Nothing was changed.")
EXACTLY: Final = _M("exactly the arguments above")
NO_ARGUMENTS: Final = _M("no arguments")
ANY_ARGUMENTS: Final = _M("any arguments")


def approve_for(how_long: str) -> str:
    """The dots say that it opens something first."""
    return f"Approve for {how_long} …"


def what_it_does(how_long: str, times: int) -> Mrkdwn:
    return _M(
        f"*This runs now.* For {how_long} from your approval, *up to {count(times, 'more call')}* like it "
        "will run without asking anybody."
    )


def like_it(tool: Mrkdwn, agent: Mrkdwn, requesters: Mrkdwn, constraint: Mrkdwn) -> Mrkdwn:
    return _M(
        f"Like it: `{tool}` with {constraint}, called by {agent} in this thread, in runs that {requesters} asked for. "
        "Everything else is asked about."
    )


HOW_IT_ENDS: Final = _M(
    "Each use is shown and logged. It ends when its time is over, it is used up, somebody revokes it (`grants` after the "
    "slash command), or the tool, the agent or the rules change."
)


def constraint(held: Sequence[Mrkdwn], *, free: bool) -> Mrkdwn:
    """`held` are “name: value”."""
    if not held:
        return ANY_ARGUMENTS if free else NO_ARGUMENTS
    return _M("; ".join(held) + (" and any other arguments" if free else ""))


def granted_with(times: int, how_long: str) -> Mrkdwn:
    """Follows what became of the approved call."""
    return _M(f"{count(times, 'more call')} like it granted for {how_long}.")


def allowed(user: Mrkdwn, used: int, times: int) -> Mrkdwn:
    return _M(f"allowed by {user}'s grant ({used} of {times})")


def allowed_step(label: Mrkdwn, by: Mrkdwn) -> Mrkdwn:
    return _M(f"“{label}” was {by}.")


def allowed_more(number: int) -> Mrkdwn:
    return _M(f"{count(number, 'more call')} ran by grants.")


def uses_left(left: int, times: int) -> Mrkdwn:
    return _M(f"{left} of {times} left")


def until(at: Mrkdwn) -> Mrkdwn:
    return _M(f"until {at}")


def given_by(user: Mrkdwn) -> Mrkdwn:
    return _M(f"granted by {user}")


def given_for(users: Mrkdwn) -> Mrkdwn:
    return _M(f"for {users}")


def revoked(grant: Mrkdwn) -> Mrkdwn:
    return _M(f"Revoked `{grant}`. No call starts by it any more.")


def revoked_before(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Already revoked by {user} at {at}. Your click changed nothing.")


def used_up(times: int) -> Mrkdwn:
    return _M(f"This grant was used up: {times} of {times}. Your click changed nothing.")


def expired(at: Mrkdwn) -> Mrkdwn:
    return _M(f"This grant ended at {at}. Your click changed nothing.")


def lasting(milliseconds: int) -> str:
    """A duration in the largest unit that spells it whole."""
    seconds = max(1, round(milliseconds / 1000))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
