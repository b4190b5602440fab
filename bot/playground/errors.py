"""The playground's errors.

PlaygroundError
├── SlackError   the platform refuses a call of the app; carries the name the platform gives it
└── Impossible   a person tried what their client would not let them do
"""

from collections.abc import Sequence


class PlaygroundError(Exception):
    """Root of the playground's own errors."""


class SlackError(PlaygroundError):
    """A Web API refusal: `name` is the answer's `error`, `messages` its `response_metadata.messages`."""

    def __init__(self, name: str, messages: Sequence[str] = ()) -> None:
        super().__init__(f"{name}: {'; '.join(messages)}" if messages else name)
        self.name = name
        self.messages = tuple(messages)


class Impossible(PlaygroundError):
    """What a person could not do in their client: a click on a button that is not there, an unknown command."""
