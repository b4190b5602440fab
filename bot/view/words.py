"""The copy deck: every sentence that the view shows, in one place. Short, plain, no emoji.

What is filled in is :data:`~bot.view.mrkdwn.Mrkdwn`, so it was escaped before it came here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.view.mrkdwn import Mrkdwn

_M = Mrkdwn

STOP: Final = "Stop"
CANCEL: Final = "Cancel"
STEPS: Final = "Steps"
RETRY: Final = "Retry"
RESUME: Final = "Resume"
SHOW: Final = "Show"
OPEN: Final = "Open"
CLOSE: Final = "Close"
OLDER: Final = "Older"
NONE_HERE: Final = _M("None among these. Press Older to look further back.")
EARLIER_STEPS: Final = "Earlier steps"
LATER_STEPS: Final = "Later steps"

THE_BOT: Final = _M("The bot")
RUNS: Final = _M("Runs")
NO_RUNS: Final = _M("No runs.")
NO_LINK: Final = _M("no message yet")
IN_A_THREAD: Final = _M("In a thread, after a mention:")
NO_AGENTS: Final = _M("No agents.")
NO_STEPS: Final = "No steps yet."
COPY_FOR_INCIDENT: Final = "Copy for incident"
NO_ANSWER: Final = _M("The agent ended without an answer. Ask again, or in other words.")
STOPPING: Final = _M("Stopping.")
WAITING: Final = _M("Waiting for approval.")
ENDED_ALREADY: Final = _M("This run has already ended. Nothing was stopped.")
EMPTY_MENTION: Final = _M("Write what you need after the mention, or `help` to see what I understand.")
THREAD_FULL: Final = _M(
    "Too many messages wait in this thread, so this one was not saved. Send it again when some are answered."
)
BUSY: Final = _M(
    "I am still at work in this thread, so this message was not taken. Send it again when I have answered."
)
DRAINED: Final = _M("Paused for maintenance. Your message is saved and starts when the bot resumes.")
DAMAGED: Final = _M("this entry is damaged")
NOT_HELD: Final = _M("This run does not wait to be resumed.")
TENANT_FULL: Final = _M(
    "Too many messages wait in this workspace, so this one was not saved. Send it again in a few minutes."
)
NO_WORKER: Final = _M("Saved. No worker is running; it starts when one is back.")
NOT_SAVED: Final = _M("This was not done, because the bot's storage did not answer. Try again in a minute.")
UNFORESEEN: Final = _M(
    "Something went wrong in the bot, so this may not have been done. Look before you try again, or ask an admin."
)
FORGED: Final = _M("This button is not one that this bot made, or it is too old. Nothing was changed.")
THREAD_GONE: Final = _M("This thread is past its retention, so nothing of it is left. Start a new one.")
NO_LIVE_RUN: Final = _M("Nothing is running in this thread.")


@dataclass(frozen=True, slots=True)
class Verb:
    """Something a person can type: how, and what it does."""

    name: str
    usage: str
    meaning: str


COMMAND_VERBS: Final = (
    Verb(
        "runs", "runs [state] [dead] [@user] [#channel] [agent]", "lists runs, newest first; `dead`: given up"
    ),
    Verb("show", "show RUN", "shows one run"),
    Verb("cancel", "cancel RUN", "stops a run, or takes it out of the line"),
    Verb("retry", "retry RUN", "runs what was asked again"),
    Verb("resume", "resume [RUN]", "lets an interrupted run go on; without one, ends a pause"),
    Verb("approvals", "approvals [all]", "lists what waits for a decision"),
    Verb("grants", "grants", "lists what runs without asking for now, with Revoke"),
    Verb("agents", "agents", "lists the agents"),
    Verb("drain", "drain", "pauses: messages are saved, nothing new begins"),
    Verb("reload", "reload", "reads the workspace again"),
    Verb("stats", "stats", "counts runs, requests and workers"),
    Verb("audit", "audit", "shows the newest entries of the audit log"),
    Verb("help", "help", "shows this"),
)
MENTION_VERBS: Final = (
    Verb("stop", "stop", "stops the run in this thread"),
    Verb("status", "status", "shows how the run in this thread stands"),
    Verb("retry", "retry", "runs the last message of this thread again"),
    Verb("restart", "restart", "forgets this thread and starts anew"),
    Verb("quiet", "quiet", "answers in this thread only when mentioned"),
    Verb("agents", "agents", "lists the agents"),
    Verb("use", "use AGENT", "lets another agent answer in this thread"),
    Verb("help", "help", "shows this"),
)


def reading(agent: Mrkdwn) -> Mrkdwn:
    return _M(f"{agent} is reading your message")


def step(agent: Mrkdwn, label: Mrkdwn, number: int) -> Mrkdwn:
    return _M(f"{agent} · {label} · step {number}")


def writing(agent: Mrkdwn) -> Mrkdwn:
    return _M(f"{agent} · writing")


def thinking(agent: Mrkdwn) -> Mrkdwn:
    """Between steps."""
    return _M(f"{agent} · thinking")


def since(status: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{status} · since {at}")


def queued(place: int) -> Mrkdwn:
    return _M(f"Queued, {ordinal(place)} in line.")


QUEUED: Final = _M("Queued.")


def ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def footer(agent: Mrkdwn, steps: int, seconds: int | None, short_id: str) -> Mrkdwn:
    took = () if seconds is None else (f"{seconds} s",)
    return _M(" · ".join((agent, count(steps, "step"), *took, f"run {short_id}")))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def done(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Done: {label}")


def now(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Now: {label}")


def failed_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Failed: {label}")


def interrupted_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Interrupted: {label}")


def waiting_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Waiting for approval: {label}")


def approved_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved: {label}")


def rejected_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Rejected: {label}")


def expired_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Expired: {label}")


def refused_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Refused: {label}")


def unsure_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"May have happened: {label}")


def skipped_step(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Skipped: {label}")


def step_not_run(label: Mrkdwn) -> Mrkdwn:
    return _M(f"Not run: {label}")


def earlier(number: int) -> Mrkdwn:
    return _M(f"{count(number, 'step')} before")


def part(number: int, total: int) -> Mrkdwn:
    return _M(f"Part {number} of {total}")


def ready(requester: Mrkdwn, answer: Mrkdwn) -> Mrkdwn:
    """`answer` is the link to it."""
    return _M(f"{requester}, your answer is ready. {answer}")


VIEW_ANSWER: Final = "View answer"
ANSWER_BELOW: Final = "The answer is in another message"


def stopping(title: Mrkdwn) -> Mrkdwn:
    return _M(f"Stopping. “{title}” has already started and may finish.")


def stopped(user: Mrkdwn | None, changes: Mrkdwn) -> Mrkdwn:
    """`changes` as of :func:`changes`, or empty."""
    return _M(" ".join(filter(None, (f"Stopped by {user}." if user else "Stopped.", changes))))


def changes(finished: Sequence[Mrkdwn], *, more: int, unsure: Mrkdwn | None, untouched: bool) -> Mrkdwn:
    """What a run did before it ended: `finished` are labels of steps, `more` counts those that are not listed.

    `unsure` is what may have happened. `untouched` says that nothing was changed, and needs proof.
    """
    said = []
    if finished:
        rest = f" and {more} more" if more else ""
        said.append(f"Done before that: {', '.join(finished)}{rest}.")
    if unsure:
        said.append(unsure)
    if untouched:
        said.append("Nothing was changed.")
    return _M(" ".join(said))


def may_have_finished(label: Mrkdwn, more: int) -> Mrkdwn:
    rest = f" and {more} more" if more else ""
    return _M(f"“{label}”{rest} had started and may have finished.")


def calls_unsure(number: int) -> Mrkdwn:
    return _M(f"{count(number, 'tool call')} may have finished.")


def more_refused(number: int) -> Mrkdwn:
    return _M(f"{count(number, 'more call')} did not run.")


def recovered(at: Mrkdwn, steps: int) -> Mrkdwn:
    if not steps:
        return _M(f"Interrupted at {at}, starting again. No step had finished.")
    return _M(f"Interrupted at {at}, continuing after step {steps}. Finished steps will not run again.")


def held(at: Mrkdwn) -> Mrkdwn:
    return _M(f"Interrupted at {at}. Press Resume, and it goes on from its last step.")


def resumed(run_id: Mrkdwn) -> Mrkdwn:
    return _M(f"{run_id} goes on.")


def failed(reason: Mrkdwn) -> Mrkdwn:
    """For a failure that came without a sentence of its own."""
    return _M(f"The run failed ({reason}). Press Retry, or ask an admin.")


def run_named(run_id: Mrkdwn) -> Mrkdwn:
    return _M(f"Run {run_id}.")


def run_not_found(run_id: Mrkdwn) -> Mrkdwn:
    return _M(f"No run “{run_id}”. It may be past its retention; `runs` lists those that are left.")


def agent_not_found(agent: Mrkdwn, known: Sequence[Mrkdwn]) -> Mrkdwn:
    return _M(f"No agent “{agent}”. Known agents: {', '.join(known) or 'none'}.")


def agent_chosen(agent: Mrkdwn) -> Mrkdwn:
    return _M(f"{agent} answers in this thread from the next message on.")


def unknown_verb(verb: Mrkdwn, nearest: Mrkdwn | None) -> Mrkdwn:
    guess = f" Did you mean `{nearest}`?" if nearest else ""
    return _M(f"I do not know “{verb}”.{guess} `help` lists what I understand.")


def missing_argument(usage: Mrkdwn) -> Mrkdwn:
    return _M(f"Something is missing. Write `{usage}`.")


def not_in_channel(channel: Mrkdwn) -> Mrkdwn:
    return _M(f"I am not in {channel}, so I cannot answer there. Invite me and send your message again.")


def closed_place(channel: Mrkdwn) -> Mrkdwn:
    return _M(
        f"I may not write in {channel} any more, so what you asked there ended. Ask me in another place."
    )


def not_allowed(what: Mrkdwn, who: Mrkdwn) -> Mrkdwn:
    return _M(f"You can't {what}. {who} can.")


QUIETED: Final = _M("From here on I answer in this thread only when I am mentioned.")
RESTARTED: Final = _M("This thread starts anew. What was said before is forgotten.")


def retrying(run_id: Mrkdwn) -> Mrkdwn:
    return _M(f"Running it again as {run_id}.")


def age(milliseconds: int) -> str:
    seconds = max(0, milliseconds // 1000)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
