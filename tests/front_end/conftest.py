"""A stage per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
from front_end.stage import Stage, raised_stage


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
