"""Fixtures that every room of the tests may use."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from sealing import SEAL

from harness_core.store import Store
from harness_core.store.embedded import find_server

# A busy machine is no failure, and what passed once passes again; --hypothesis-profile=default looks for more.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    url: str
    pid: int


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real server of this test process alone; nothing in it is kept on disk."""
    # Not pytest's tmp_path: a unix socket's path must stay below about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    socket = folder / "redis.sock"
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(find_server().path, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"),
                *("--dir", folder, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(process, socket)
        yield RedisServer(url=f"unix://{socket}", pid=process.pid)
    finally:
        process.kill()
        process.wait(timeout=10)
        shutil.rmtree(folder)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty database."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    """An empty store, open."""
    opened = await Store.open(redis_url, seal=SEAL)
    yield opened
    await opened.close()


def _wait_ready(process: subprocess.Popen[bytes], socket: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, socket.with_name("redis.log").read_text()
        assert time.monotonic() < deadline, "the Redis server did not get ready within 20 s"
        if socket.exists():
            try:
                with redis.Redis(unix_socket_path=str(socket)) as client:
                    assert client.info("server")["process_id"] == process.pid
                return
            except redis.ConnectionError:
                pass
        time.sleep(0.02)


def pytest_addoption(parser: pytest.Parser) -> None:
    # Here and not beside the browser tests, because an option has to be known before their folder is looked at.
    parser.addoption("--pictures", action="store_true", help="write the pictures of docs/ anew")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests measured: ``record_property("figure", …)`` reaches this from every process of a run."""
    figures = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.write_line(figure)
