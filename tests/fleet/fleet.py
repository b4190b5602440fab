"""A simulated Slack and the processes of one installation, with everything a fault test looks at."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from waiting import wait_until

from bot.playground import Door, Playground, PlaygroundConfig, start_playground
from bot.playground.config import Cast
from bot.playground.records import ApiCall, Message
from fleet.effects import Effects
from fleet.process import Armed, BotProcess
from fleet.team import Team
from harness_core import RunState, Seal, Store
from harness_core.errors import StoreUnavailable
from harness_core.models import Run
from harness_core.states import TERMINAL
from harness_core.store.embedded.folder import DataFolder

POSTED = "chat.postMessage"
ANSWER = "0"
"""The part of a run that shows its answer, whole where it is not very long."""
CARDS = ("ask:", "doubt:")
"""How the names of the parts begin that ask people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one mention: its run, its one message, and when (monotonic seconds) both were final."""

    run: Run
    message: Message
    output: str
    at: float


@dataclass(slots=True, kw_only=True)
class Fleet:
    """One installation. Use :func:`start_fleet`, which also ends every process."""

    team: Team
    effects: Effects
    playground: Playground
    door: Door
    port: int
    environ: dict[str, str]
    processes: dict[str, BotProcess] = field(default_factory=dict)
    _store: Store | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    # Processes

    def process(self, role: str, name: str | None = None) -> BotProcess:
        """A process of this installation by name, which is its role unless there are several."""
        name = name or role
        if name not in self.processes:
            self.processes[name] = BotProcess(
                role=role, name=name, environ=self.environ, folder=self.team.root
            )
        return self.processes[name]

    async def start(self, *names: str) -> None:
        """Starts ``web``, ``serve``, ``worker`` or ``worker-…`` processes and waits until they work."""
        chosen = [self.process(name.partition("-")[0], name) for name in names]
        for process in chosen:
            process.start()
        for process in chosen:
            await self.ready(process)

    async def ready(self, process: BotProcess) -> None:
        """Waits until it takes messages (``web``) or runs (``worker``)."""
        if process.role == "worker":
            await process.logs("agents ready")
            return
        url = f"http://127.0.0.1:{self.port}/readyz"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:

            async def answers() -> bool:
                if not process.lives:
                    pytest.fail(f"{process.name} ended:\n{process.tail()}")
                try:
                    async with session.get(url) as response:
                        assert response.status == 200, await response.text()
                except (aiohttp.ClientError, TimeoutError) as error:
                    raise AssertionError(f"{error!r}\n{process.tail()}") from error
                return True

            await wait_until(answers, timeout=60, what=f"{process.name} is ready")

    def arm(self, role: str, point: str, *, about: str, action: str) -> list[Armed]:
        """Gives the same order to every living process of this role: whichever comes there first obeys."""
        chosen = [each for each in self.processes.values() if each.role == role and each.lives]
        return [process.arm(point, about=about, action=action) for process in chosen]

    def redis_pid(self) -> int | None:
        """The process that serves the data folder, if one does."""
        pid = DataFolder.prepare(self.team.data).noted_pid()
        try:
            serves = Path(f"/proc/{pid}/cwd").samefile(self.team.data)
        except OSError:
            return None
        return pid if serves else None

    async def kill_redis(self) -> None:
        """SIGKILL of the embedded server; waits until it is gone."""
        pid = await wait_until(self.redis_pid, timeout=20, what="a Redis server")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await wait_until(lambda: self.redis_pid() != pid, timeout=10, what="Redis is gone")

    async def close(self) -> None:
        """Ends everything by its process id."""
        if self._store is not None:
            await self._store.close()
        for process in self.processes.values():
            process.kill()
        pid = self.redis_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            await wait_until(lambda: self.redis_pid() is None, timeout=10, what="Redis is gone")
        folder = DataFolder.prepare(self.team.data)
        folder.socket.unlink(missing_ok=True)
        folder.remove_socket_folder()

    # People

    async def mention(
        self, text: str, *, channel: str | None = None, user: str | None = None, thread_ts: str | None = None
    ) -> Message:
        """A person mentions the bot; in ``general`` unless a channel is named."""
        cast = self.playground.config.cast
        return await self.door.post(
            channel or cast.general, f"<@{cast.bot_user}> {text}", user=user, thread_ts=thread_ts
        )

    async def answer(self, asked: Message, *, within: float = 30.0) -> Answer:
        """Waits until the run of this message ended and its message in the thread is the last word."""

        async def done() -> Answer | None:
            try:
                newest = await self._newest(asked)
                if newest is None or newest.state not in TERMINAL:
                    return None
                runs = await self.runs_of(asked)
                assert len(runs) == 1, f"{len(runs)} runs of one message: {runs}"
                output = await (await self.store()).runs.output(runs[0].run_id)
            except StoreUnavailable:
                return None
            parts = await self.messages_of(asked, runs[0].run_id)
            shown = [each for each in parts if part_of(each) == ANSWER and is_final(each)]
            if not shown:
                return None
            return Answer(run=runs[0], message=shown[0], output=output or "", at=time.monotonic())

        return await self.door.wait_for(done, within=within, what=f"the final answer to {asked.text!r}")

    async def completed(self, asked: Message, *, within: float = 30.0, cards: int = 0) -> Answer:
        """As :meth:`answer`, for a run that must succeed, with everything that must hold for its messages.

        One message that shows the whole answer and ``cards`` that asked people, each posted once.
        """
        answer = await self.answer(asked, within=within)
        assert answer.run.state is RunState.COMPLETED, answer.run
        run_id = answer.run.run_id
        shown = Counter(part_of(each) for each in await self.messages_of(asked, run_id))
        posts = Counter(
            part_of(call.args) for call in await self.calls(POSTED) if call.ok and run_id in str(call.args)
        )
        for seen in (shown, posts):
            told = {part: count for part, count in seen.items() if part == ANSWER or part.startswith(CARDS)}
            assert set(told.values()) == {1}, f"more than once: {seen}"
            assert len(told) == 1 + cards, f"{cards} cards: {seen}"
        assert shown_text(answer.message) == answer.output, (shown_text(answer.message), answer.output)
        return answer

    # What can be seen

    async def messages_of(self, asked: Message, run_id: str) -> list[Message]:
        """Everything of this run in the thread of the message that asked for it, oldest first."""
        thread = await self.door.messages(asked.channel, thread_ts=asked.root)
        bot = self.playground.config.cast.bot_user
        return [each for each in thread if each.user == bot and run_id in str(each.metadata)]

    async def calls(self, method: str, *, after: int = 0) -> list[ApiCall]:
        return await self.door.calls(method, after=after)

    async def store(self) -> Store:
        """The installation's own store; the server must be up when it is first asked for."""
        async with self._opening:
            if self._store is None:
                key = base64.b64decode((self.team.data / "seal.key").read_bytes())
                url = DataFolder.prepare(self.team.data).url
                self._store = await Store.open(url, seal=Seal(key))
            return self._store

    async def runs(self) -> list[Run]:
        """Every run, oldest first."""
        page = await (await self.store()).lists.page(self.playground.config.cast.team, limit=5000)
        return sorted(page.items, key=lambda run: run.run_id)

    async def runs_of(self, asked: Message) -> list[Run]:
        """The runs of this message: one, if all is well."""
        return [run for run in await self.runs() if run.target.get("ts") == asked.ts]

    async def run_of(self, asked: Message, *, within: float = 10.0) -> Run:
        """Waits until the message is stored as a run."""

        async def found() -> Run | None:
            with contextlib.suppress(StoreUnavailable):
                return await self._newest(asked)
            return None

        run = await wait_until(found, timeout=within, what=f"a run of {asked.text!r}")
        assert run is not None
        return run

    async def _newest(self, asked: Message) -> Run | None:
        """The run of this message without a look at all others, where it is the last one of its thread."""
        store, team = await self.store(), self.playground.config.cast.team
        thread = await store.threads.find(team, f"{asked.channel}:{asked.root}")
        if thread is None or thread.latest_run is None:
            return None
        run = await store.runs.get(thread.latest_run)
        return run if run.target.get("ts") == asked.ts else next(iter(await self.runs_of(asked)), None)

    async def all_delivered(self, within: float = 30.0) -> None:
        """Waits until Slack hands nothing over and repeats nothing any more."""

        async def idle() -> bool:
            return (await self.door.link()).under_way == 0

        await wait_until(idle, timeout=within, what="no delivery is under way")

    async def acknowledged(self, messages: Iterable[Message]) -> list[Message]:
        """Those of the messages for which Slack got a 200 at least once."""
        heard = {
            delivery.payload["event"].get("ts")
            for delivery in await self.door.deliveries()
            if delivery.kind == "events_api" and delivery.status == 200
        }
        return [message for message in messages if message.ts in heard]


def is_final(message: Message) -> bool:
    """Whether it shows the end of its run: nothing can be stopped any more."""
    buttons = [
        element["action_id"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    return bool(buttons) and not any(action.startswith("run:stop") for action in buttons)


def part_of(message: Message | Mapping[str, Any]) -> str:
    """Which part of its run a message shows, or a call to Slack posts."""
    metadata = message.metadata if isinstance(message, Message) else message.get("metadata")
    payload = (metadata or {}).get("event_payload", {})
    return str(payload.get("part", ""))


def shown_text(message: Message) -> str:
    """The answer as a person reads it."""
    return "".join(block["text"] for block in message.blocks if block["type"] == "markdown")


@contextlib.asynccontextmanager
async def start_fleet(
    *,
    lease: float = 2.0,
    attempts: int = 3,
    retry_delays: tuple[float, ...] = (0.0, 1.0, 2.0),
    crowd: Sequence[str] = (),
    approvers: Sequence[str] = (),
    **environ: str,
) -> AsyncIterator[Fleet]:
    """A playground and an installation without processes yet; ends all that were started.

    The ``crowd`` are more members of every channel. Without ``approvers`` it is the approver of the cast.
    """
    root = Path(tempfile.mkdtemp(prefix="fleet-"))
    try:
        team, port = Team(root), _free_port()
        config = PlaygroundConfig(
            bot_url=f"http://127.0.0.1:{port}/slack/events",
            limits="off",
            retry_delays=retry_delays,
            cast=Cast(crowd=tuple(crowd)),
        )
        async with (
            Effects() as effects,
            await start_playground(config) as playground,
            Door(playground.door_url) as door,
        ):
            named = approvers or (config.cast.approver,)
            team.write(lease=lease, attempts=attempts, approvers=named, effects_url=effects.url)
            fleet = Fleet(
                team=team,
                effects=effects,
                playground=playground,
                door=door,
                port=port,
                environ=_environ(team, playground, port) | environ,
            )
            try:
                yield fleet
            finally:
                await fleet.close()
    finally:
        shutil.rmtree(root)


def _environ(team: Team, playground: Playground, port: int) -> dict[str, str]:
    config = playground.config
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return kept | {
        "SLACK_BOT_TOKEN": config.bot_token,
        "SLACK_SIGNING_SECRET": config.signing_secret,
        "SLACK_API_URL": playground.api_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "HARNESS_WORKSPACE": str(team.workspace),
        "HARNESS_DATA": str(team.data),
        "LOG_FORMAT": "json",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
