"""What the page knows of the bot it shows: the ids and words of the product's contract, and nothing else.

The rest of the playground is a Slack and knows no app. Verdicts and the guide have to tell an answer from a
question, so they look for the buttons that people were promised.
"""

import re
from collections.abc import Iterator

from bot.playground.block_kit.surfaces import interactive
from bot.playground.records import Json, Message

RUN_STOP = "run:stop"
RUN_STEPS = "run:steps"
RUN_RETRY = "run:retry"
APPROVE = "approval:approve"
EDIT = "approval:edit"
DECISIONS = (
    *(APPROVE, "approval:reject", "approval:review"),
    *("approval:done", "approval:again", "approval:skip"),
)

_VERBS = frozenset({"stop", "status", "retry", "restart", "quiet", "agents", "help"})
_MENTION = re.compile(r"<@(\w+)(?:\|[^>]*)?>")


def action_ids(message: Message) -> list[str]:
    """Of everything in the message that a person can use."""
    return [str(element["action_id"]) for element in _elements(message)]


def is_running(message: Message) -> bool:
    """Whether it shows a run that goes on: it can be stopped."""
    return any(action.startswith(RUN_STOP) for action in action_ids(message))


def is_final(message: Message) -> bool:
    """Whether it shows the end of a run."""
    actions = action_ids(message)
    return any(action.startswith(RUN_STEPS) for action in actions) and not is_running(message)


def is_failure(message: Message) -> bool:
    """Whether the run it shows ended badly: only then it can be tried again."""
    return is_final(message) and any(action.startswith(RUN_RETRY) for action in action_ids(message))


def is_open_card(message: Message) -> bool:
    """Whether it waits for a person's decision."""
    return any(action.startswith(DECISIONS) for action in action_ids(message))


def revision(message: Message) -> int | None:
    """The revision that the card's buttons decide about; None for what is no open card."""
    for element in _elements(message):
        approval, colon, number = str(element.get("value", "")).rpartition(":")
        if str(element["action_id"]).startswith(DECISIONS) and approval and colon and number.isdecimal():
            return int(number)
    return None


def asks_the_bot(text: str, bot_user: str, *, direct: bool) -> bool:
    """Whether a person's text wants an answer: a mention or a direct message that is no verb."""
    if not direct and bot_user not in _MENTION.findall(text):
        return False
    words = _MENTION.sub("", text).split()
    verb = words[0].lower() if words else ""
    return (
        bool(words) and not (len(words) == 1 and verb in _VERBS) and not (len(words) == 2 and verb == "use")
    )


def _elements(message: Message) -> Iterator[Json]:
    for block in message.blocks:
        yield from interactive(block)
