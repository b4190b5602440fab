"""Short answers, each one sentence: what was found, and what to do."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Literal

from bot.view import words
from bot.view.blocks import Notice, notice
from bot.view.fold import RunView
from bot.view.message import stopped, stopping
from bot.view.mrkdwn import Mrkdwn, escape, link, person


def empty_mention() -> Notice:
    return notice(words.EMPTY_MENTION)


def inbox_full(reason: Literal["thread_full", "tenant_full"]) -> Notice:
    return notice(words.THREAD_FULL if reason == "thread_full" else words.TENANT_FULL)


def busy() -> Notice:
    return notice(words.BUSY)


def drained() -> Notice:
    return notice(words.DRAINED)


def not_held() -> Notice:
    return notice(words.NOT_HELD)


def resumed(run_id: str) -> Notice:
    return notice(words.resumed(escape(run_id)))


def no_worker() -> Notice:
    return notice(words.NO_WORKER)


def not_saved() -> Notice:
    """For a click or a command that met a store that did not answer."""
    return notice(words.NOT_SAVED)


def unforeseen() -> Notice:
    """For what failed in a way that nobody thought of: the log has the rest."""
    return notice(words.UNFORESEEN)


def forged() -> Notice:
    return notice(words.FORGED)


def unknown_verb(verb: str, known: Sequence[str]) -> Notice:
    """Names the nearest verb of `known`, if one is near."""
    nearest = get_close_matches(verb.lower()[:50], known, n=1)
    return notice(words.unknown_verb(escape(verb, 50), escape(nearest[0]) if nearest else None))


def missing_argument(usage: str) -> Notice:
    return notice(words.missing_argument(escape(usage)))


def not_in_channel(channel: str) -> Notice:
    """`channel` is its id; Slack shows the name."""
    return notice(words.not_in_channel(_channel(channel)))


def closed_place(channel: str) -> Notice:
    """For a channel that is archived, or where the bot may not write; `channel` as above."""
    return notice(words.closed_place(_channel(channel)))


def _channel(channel: str) -> Mrkdwn:
    known = channel[:1] in {"C", "G", "D"} and channel.isalnum() and channel.isascii()
    return Mrkdwn(f"<#{channel}>") if known else escape(channel)


def run_not_found(run_id: str) -> Notice:
    return notice(words.run_not_found(escape(run_id, 50)))


def agent_not_found(name: str, known: Sequence[str]) -> Notice:
    return notice(words.agent_not_found(escape(name, 50), [escape(agent, 50) for agent in known[:20]]))


def agent_chosen(name: str) -> Notice:
    return notice(words.agent_chosen(escape(name)))


def not_allowed(what: str, who: str) -> Notice:
    """`what` they tried ("stop this run") and `who` may do it ("The requester or an admin")."""
    return notice(words.not_allowed(escape(what), escape(who)))


def stop_outcome(outcome: Literal["cancelled", "requested", "finished"], view: RunView, by: str) -> Notice:
    """What a Stop came to; `by` pressed it and `view` is the run as it was then."""
    match outcome:
        case "cancelled":
            return notice(stopped(view if view.cancelled_by else replace(view, cancelled_by=by)))
        case "requested":
            return notice(stopping(view))
        case "finished":
            return notice(words.ENDED_ALREADY)


def no_live_run() -> Notice:
    return notice(words.NO_LIVE_RUN)


def thread_gone() -> Notice:
    return notice(words.THREAD_GONE)


def quieted() -> Notice:
    return notice(words.QUIETED)


def restarted() -> Notice:
    return notice(words.RESTARTED)


def retrying(run_id: str) -> Notice:
    return notice(words.retrying(escape(run_id)))


def ready(requester: str, url: str) -> Notice:
    """Pings the requester: an edit notifies nobody."""
    return notice(words.ready(person(requester), link(url, words.VIEW_ANSWER)))


def moved(url: str) -> Notice:
    """What is left of a run message when its answer was posted anew, or has fewer parts than before."""
    return notice(link(url, words.ANSWER_BELOW))
