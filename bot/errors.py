"""What ends a process with one sentence for whoever started it.

::

    StartupFailed           it cannot start; the message says what to do
    ├── AddressTaken        the port cannot be listened on
    ├── SealKeyUnusable     the key file cannot be made or read
    ├── SocketRefused       Slack gives no socket for Socket Mode
    └── PlaygroundFailed    the playground's processes cannot be kept
"""

from __future__ import annotations


class StartupFailed(Exception):
    """The process cannot start; the message is one sentence that says what to do."""


class AddressTaken(StartupFailed):
    """The port cannot be listened on."""


class SealKeyUnusable(StartupFailed):
    """The key file cannot be made or read."""


class SocketRefused(StartupFailed):
    """Slack does not give this app a socket."""


class PlaygroundFailed(StartupFailed):
    """The playground's processes cannot be kept."""
