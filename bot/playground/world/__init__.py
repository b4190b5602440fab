"""The state of the playground, apart from every protocol that shows or changes it."""

from collections.abc import Callable
from typing import Literal

from bot.playground.config import PlaygroundConfig
from bot.playground.pulse import Pulse
from bot.playground.world.changes import Change, HomeOpened, Reset
from bot.playground.world.clock import Clock
from bot.playground.world.directory import Directory
from bot.playground.world.files import Files
from bot.playground.world.messages import Messages
from bot.playground.world.views import Views

__all__ = ["Change", "World"]


class World:
    """One team in memory. Every change is published to the listeners, in order, before the verb returns."""

    directory: Directory
    messages: Messages
    views: Views
    files: Files

    def __init__(self, config: PlaygroundConfig, clock: Clock, pulse: Pulse) -> None:
        self.config = config
        self.clock = clock
        self._pulse = pulse
        self._listeners: list[Callable[[Change], None]] = []
        self._seed()

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    def reset(self) -> None:
        """Back to the seed; listeners hear one `Reset`."""
        self._seed()
        self._publish(Reset())

    def open_home(self, user: str, tab: Literal["home", "messages"]) -> None:
        """A person looks at the app's Home or Messages tab."""
        channel = self.directory.direct(user)
        self._publish(HomeOpened(user, channel.id, tab, self.views.home(user), self.clock.ts()))

    def _seed(self) -> None:
        self.directory = Directory(self.config, self.clock, self._publish)
        self.messages = Messages(self.clock, self._publish)
        self.views = Views(self.clock, self._publish)
        self.files = Files(self.clock)

    def _publish(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)
        self._pulse.beat()
