"""A stage per test."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from front_end.shell import Shell, shell_in
from front_end.stage import WORKSPACE, Stage, raised_stage
from sealing import SEAL_KEY


class Server(Protocol):
    @property
    def pid(self) -> int: ...


@pytest.fixture
def redis_pid(redis_server: Server) -> int:
    """The process of the Redis that the stage uses."""
    return redis_server.pid


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with raised_stage(redis_url, tmp_path) as raised:
        yield raised


@pytest.fixture
def environ(redis_url: str, tmp_path: Path) -> dict[str, str]:
    """What a command of the shell needs: a store and a workspace."""
    (tmp_path / "team.yaml").write_text(WORKSPACE, encoding="utf-8")
    return {
        "REDIS_URL": redis_url,
        "HARNESS_SEAL_KEY": base64.b64encode(SEAL_KEY).decode(),
        "HARNESS_WORKSPACE": str(tmp_path),
    }


@pytest.fixture
def shell(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Shell:
    return shell_in(environ, capsys)
