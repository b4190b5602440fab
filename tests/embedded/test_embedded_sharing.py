from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
import redis.asyncio
from embedded.conftest import Attach, StartClient
from embedded.processes import only_server, servers_under
from waiting import wait_until


async def test_two_processes_of_one_folder_see_each_others_data(
    data: Path, attach: Attach, start_client: StartClient
) -> None:
    server = await attach(data)
    other = await start_client(data)
    assert await other.answer() == "attached"
    await other.ask("write")
    async with redis.asyncio.from_url(server.url) as client:
        await wait_until(lambda: client.llen("client0"))

    await only_server(data)


async def test_killing_the_process_that_started_the_server_keeps_server_and_data(
    data: Path, attach: Attach, start_client: StartClient
) -> None:
    starter = await start_client(data)
    assert await starter.answer() == "attached"
    pid = await only_server(data)
    await starter.ask("write")
    acknowledged = int(await starter.ask("stop"))
    starter.process.kill()
    await starter.process.wait()

    adopted = await attach(data)

    assert await only_server(data) == pid
    async with redis.asyncio.from_url(adopted.url) as client:
        assert await client.llen("client0") >= acknowledged


async def test_the_last_that_leaves_stops_the_server_and_the_data_is_there_next_time(
    data: Path, attach: Attach, start_client: StartClient
) -> None:
    first, last = await attach(data), await start_client(data)
    assert await last.answer() == "attached"
    async with redis.asyncio.from_url(first.url) as client:
        await client.set("kept", "yes")

    await first.leave()
    assert len(servers_under(data)) == 1
    assert await last.ask("leave") == "left"
    assert servers_under(data) == []
    assert await last.process.wait() == 0

    again = await attach(data)
    async with redis.asyncio.from_url(again.url) as client:
        assert await client.get("kept") == b"yes"


async def test_of_five_that_leave_at_once_exactly_one_stops_the_server(
    data: Path, start_client: StartClient
) -> None:
    clients = [await start_client(data) for _ in range(5)]
    assert await asyncio.gather(*(client.answer() for client in clients)) == ["attached"] * 5

    assert await asyncio.gather(*(client.ask("leave") for client in clients)) == ["left"] * 5

    await wait_until(lambda: servers_under(data) == [])
    log = (data / "redis.log").read_text()
    assert log.count("User requested shutdown") == 1


async def test_five_processes_that_start_at_once_share_one_server(
    data: Path, start_client: StartClient
) -> None:
    clients = [await start_client(data) for _ in range(5)]

    assert await asyncio.gather(*(client.answer() for client in clients)) == ["attached"] * 5

    await only_server(data)
    assert (data / "redis.log").read_text().count("Ready to accept connections") == 1


async def test_a_process_that_comes_while_the_last_one_leaves_gets_a_server(
    data: Path, attach: Attach
) -> None:
    for _ in range(3):
        leaving = await attach(data)
        _, coming = await asyncio.gather(leaving.leave(), attach(data))
        async with redis.asyncio.from_url(coming.url) as client:
            assert await client.ping()
        await only_server(data)
        await coming.leave()
        assert servers_under(data) == []


async def test_the_server_is_out_of_reach_of_the_terminal_and_of_other_users(
    data: Path, attach: Attach
) -> None:
    await asyncio.to_thread(data.mkdir, mode=0o755)

    await attach(data)

    pid = await only_server(data)
    assert os.getsid(pid) != os.getsid(0)
    assert modes(data) >= {("data", 0o700), ("redis.sock", 0o700), ("appendonly.aof.1.incr.aof", 0o600)}


async def test_the_server_does_not_inherit_the_environment(
    data: Path, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_TOKEN", "xoxb-secret")

    await attach(data)

    pid = await only_server(data)
    assert "APP_TOKEN" not in environment_of(pid)


async def test_a_server_that_ended_leaves_no_zombie_in_the_process_that_started_it(
    data: Path, attach: Attach
) -> None:
    await attach(data)
    pid = await only_server(data)

    os.kill(pid, signal.SIGKILL)

    await wait_until(lambda: not Path(f"/proc/{pid}").exists())


async def test_the_server_keeps_an_append_only_file_and_never_evicts(data: Path, attach: Attach) -> None:
    server = await attach(data)

    async with redis.asyncio.from_url(server.url, decode_responses=True) as client:
        settings = await client.config_get("*")

    expected = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "aof-load-truncated": "yes",
        "save": "",
        "port": "0",
        "dir": str(data),
    }
    assert {name: settings[name] for name in expected} == expected


async def test_one_process_that_wants_every_write_on_disk_gets_it_for_all(data: Path, attach: Attach) -> None:
    fast = await attach(data, appendfsync="everysec")
    async with redis.asyncio.from_url(fast.url) as client:
        assert await client.config_get("appendfsync") == {"appendfsync": "everysec"}

    await attach(data, appendfsync="always")
    await attach(data, appendfsync="everysec")

    async with redis.asyncio.from_url(fast.url) as client:
        assert await client.config_get("appendfsync") == {"appendfsync": "always"}


def modes(folder: Path) -> set[tuple[str, int]]:
    return {(path.name, path.stat().st_mode & 0o777) for path in (folder, *folder.rglob("*"))}


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()
