"""What stands in the way of a server, and the sentence each gets."""

# ruff: noqa: ASYNC240 - the loop of these tests has nothing else to serve while a file is touched

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis.asyncio
from embedded.conftest import Attach
from embedded.processes import only_server, refusal, servers_under

from harness_core.store.embedded import EmbeddedServer, find_server


async def test_a_stale_socket_is_replaced(data: Path, attach: Attach) -> None:
    data.mkdir()
    leave_stale_socket(data / "redis.sock")

    server = await attach(data)

    async with redis.asyncio.from_url(server.url) as client:
        assert await client.ping()


async def test_a_file_in_the_place_of_the_socket_is_not_deleted(data: Path) -> None:
    data.mkdir()
    (data / "redis.sock").write_text("mine")

    assert await refusal(data) == f"{data}/redis.sock is in the way: it is not a socket. Move it elsewhere."

    assert (data / "redis.sock").read_text() == "mine"


async def test_a_foreign_listener_at_the_socket_is_not_disturbed(data: Path) -> None:
    data.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(data / "redis.sock"))
        listener.listen()

        text = await refusal(data)

    assert text == (
        f"Another server, not started for {data}, listens at {data}/redis.sock. Stop it, or choose another data folder."
    )
    assert (data / "redis.sock").exists()


async def test_a_server_of_another_folder_at_the_socket_is_not_used(data: Path, attach: Attach) -> None:
    await attach(data)
    other = data.with_name("other")
    await attach(other)
    (other / "redis.sock").unlink()
    (other / "redis.sock").symlink_to(data / "redis.sock")

    text = await refusal(other)

    assert f"keeps its data in {data}, not in {other}" in text
    (other / "redis.sock").unlink()
    os.kill(await only_server(other), signal.SIGKILL)


async def test_a_folder_that_cannot_be_created_is_named(data: Path) -> None:
    data.write_text("a file")

    text = await refusal(data / "inside")

    assert text == (
        f"The data folder {data}/inside cannot be used: Not a directory. "
        "Choose a folder this user may create and write."
    )


async def test_a_folder_of_somebody_else_and_one_without_write_permission_are_refused(data: Path) -> None:
    data.parent.chmod(0o755)
    data.mkdir()
    with ordinary_user() as user:
        if user != data.stat().st_uid:
            assert f"belongs to user {data.stat().st_uid}, not to this user ({user})" in await refusal(data)
    os.chown(data, user, -1)
    data.chmod(0o500)
    with ordinary_user():
        text = await refusal(data)

    assert text == (
        f"{data}/clients.lock cannot be written: Permission denied. "
        "Change the permissions, or choose another data folder."
    )


async def test_a_folder_that_all_users_share_is_neither_used_nor_closed_to_them(data: Path) -> None:
    data.mkdir()
    data.chmod(0o1777)

    text = await refusal(data)

    assert text == f"{data} is shared by all users. Choose a folder inside it as the data folder."
    assert data.stat().st_mode & 0o7777 == 0o1777


async def test_a_folder_with_a_long_path_gets_a_short_socket_that_all_agree_on(
    data: Path, attach: Attach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = data / ("long" * 30)
    first = await attach(long)
    place = Path(json.loads((long / "socket.json").read_text())["socket"])
    assert len(os.fsencode(place)) <= 100
    assert place.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    second = await attach(long)

    assert first.url == second.url == f"unix://{place}"
    async with redis.asyncio.from_url(second.url) as client:
        assert await client.ping()
    await only_server(long)
    await first.leave()
    await second.leave()
    assert not place.parent.exists()


async def test_a_copy_of_a_folder_with_a_long_path_gets_a_socket_of_its_own(
    data: Path, attach: Attach
) -> None:
    original, copy = data / ("long" * 30), data / ("copy" * 30)
    first = await attach(original)
    copy.mkdir()
    (copy / "socket.json").write_bytes((original / "socket.json").read_bytes())

    second = await attach(copy)

    assert first.url != second.url
    assert len(servers_under(data)) == 2


async def test_a_socket_folder_that_others_can_enter_is_not_trusted(data: Path, attach: Attach) -> None:
    long = data / ("long" * 30)
    server = await attach(long)
    place = Path(server.url.removeprefix("unix://")).parent
    await server.leave()
    place.mkdir()
    place.chmod(0o777)
    try:
        text = await refusal(long)
    finally:
        place.rmdir()

    assert text == (
        f"{place} is not a folder that only this user can enter, so the socket cannot be put there. "
        "Remove it, or choose a data folder with a shorter path."
    )


async def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(data: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")

    text = await refusal(data)

    assert f"The Redis server of {data} does not start: {find_server()} ended with status 1." in text
    assert "The last lines of its log: " in text
    assert "manifest" in text


async def test_a_hung_server_is_named_by_its_process_id_and_no_second_one_is_started(
    data: Path, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    await attach(data)
    pid = await only_server(data)
    monkeypatch.setattr(EmbeddedServer, "patience", 0.5)
    os.kill(pid, signal.SIGSTOP)
    try:
        text = await refusal(data)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert f"The Redis server of {data} runs but does not answer at {data}/redis.sock." in text
    assert f"It noted {pid} as its process id" in text
    assert servers_under(data) == [pid]


def leave_stale_socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))


@contextmanager
def ordinary_user() -> Iterator[int]:
    """Give up root's rights, to which permissions mean nothing, for a while; the id of the user."""
    if os.geteuid() != 0:
        yield os.geteuid()
        return
    os.seteuid(65534)
    try:
        yield 65534
    finally:
        os.seteuid(0)
