"""Data files that a server cannot read, or must read."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
import redis.asyncio
from embedded.conftest import Attach
from embedded.processes import refusal

from harness_core.store.embedded import EmbeddedServer, find_server


async def test_a_damaged_append_only_file_is_named_with_a_command_that_repairs_it(
    data: Path, attach: Attach
) -> None:
    await write_and_leave(data)
    broken = data / "appendonlydir" / "appendonly.aof.1.incr.aof"
    broken.write_bytes(broken.read_bytes() + b"nonsense\r\n*3\r\n")

    text = await refusal(data)

    assert f"The Redis server of {data} does not start: {broken} is damaged." in text
    assert f"Copy {broken.parent} to a safe place" in text
    run(text.partition("what is damaged with: ")[2])
    server = await attach(data)
    async with redis.asyncio.from_url(server.url) as client:
        assert await client.get("kept") == b"yes"


async def test_a_write_cut_off_by_a_power_failure_does_not_keep_the_server_down(
    data: Path, attach: Attach
) -> None:
    await write_and_leave(data)
    file = data / "appendonlydir" / "appendonly.aof.1.incr.aof"
    file.write_bytes(file.read_bytes() + b"*3\r\n$3\r\nSET\r\n$5\r\nhalf")

    server = await attach(data)

    async with redis.asyncio.from_url(server.url) as client:
        assert await client.get("kept") == b"yes"


async def test_damage_in_the_middle_of_the_files_is_not_offered_to_be_cut(data: Path) -> None:
    await write_and_leave(data)
    broken = data / "appendonlydir" / "appendonly.aof.1.incr.aof"
    broken.write_bytes(b"nonsense\r\n" + broken.read_bytes())
    (broken.parent / "appendonly.aof.2.incr.aof").touch()
    with (broken.parent / "appendonly.aof.manifest").open("a") as manifest:
        manifest.write("file appendonly.aof.2.incr.aof seq 2 type i\n")

    text = await refusal(data)

    assert f"{broken} is damaged, and files follow it" in text
    assert "--fix" not in text


@pytest.mark.parametrize("version", [b"VALKEY999", b"REDIS0099", b"ANOTHER00"])
async def test_files_of_another_kind_of_server_are_named_with_their_writer(
    data: Path, version: bytes
) -> None:
    await write_and_leave(data)
    base = data / "appendonlydir" / "appendonly.aof.1.base.rdb"
    base.write_bytes(version + base.read_bytes()[len(version) :])

    text = await refusal(data)

    server = find_server()
    assert f"The Redis server of {data} does not start: {server} cannot read {base}, written by " in text
    assert (
        ".".join(map(str, server.version)) + ". If that is another or a newer server, put it on PATH" in text
    )


async def write_and_leave(data: Path) -> None:
    server = await EmbeddedServer.attach(data)
    async with redis.asyncio.from_url(server.url) as client:
        await client.set("kept", "yes")
    await server.leave()


def run(command: str) -> None:
    repaired = subprocess.run(
        shlex.split(command), input=b"y\n", capture_output=True, check=False, timeout=10
    )
    assert repaired.returncode == 0, repaired
