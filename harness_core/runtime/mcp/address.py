"""Where a server is and how to speak to it. Equal addresses are one server, and share a session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness_core.workspace import McpOverHttp, McpOverStdio

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HttpServer:
    """A server behind an address, spoken to as streamable HTTP. ``headers`` are secret."""

    url: str
    headers: Pairs = ()

    def __repr__(self) -> str:
        return f"HttpServer({self.url!r})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, a token also without the word before it."""
        values = [value for _, value in self.headers]
        return (*values, *(value.rpartition(" ")[2] for value in values))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StdioServer:
    """A server that is started as a process of its own. ``env`` is added to a bare environment, and secret."""

    command: str
    args: tuple[str, ...] = ()
    env: Pairs = ()
    cwd: Path | None = None

    def __repr__(self) -> str:
        return f"StdioServer({self.command!r})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return tuple(value for _, value in self.env)


ServerAddress: TypeAlias = HttpServer | StdioServer


def address_of(server: McpOverHttp | McpOverStdio, folder: Path) -> ServerAddress:
    """The address that the workspace in ``folder`` writes."""
    match server:
        case McpOverHttp(url=url, headers=headers):
            pairs = tuple((name, value.get_secret_value()) for name, value in headers.items())
            return HttpServer(url=url, headers=pairs)
        case McpOverStdio(command=command, args=args, env=env, cwd=cwd):
            return StdioServer(
                command=command,
                args=args,
                env=tuple((name, value.get_secret_value()) for name, value in env.items()),
                cwd=folder / cwd if cwd is not None else folder,
            )
