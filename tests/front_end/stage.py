"""The real front of the product on a real socket, with a real Redis behind it and a simulated Slack beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from front_end.slack_bodies import CAST, SECRET, as_form, as_json, as_payload, event_body, signed
from sealing import SEAL_KEY
from waiting import wait_until

from bot.front import Front, open_front
from bot.ingress.installation import Installation
from bot.metrics import Metrics
from bot.playground import Door, Playground, PlaygroundConfig, start_playground
from bot.playground.records import Ephemeral
from bot.settings import Purpose, Settings, read_settings
from bot.startup import Core, open_core, open_team, open_workspace
from harness_core import WorkspaceHolder
from harness_core.models import Run, Thread

WORKER = "a-worker"
"""Present on every stage, though it takes no runs."""

WORKSPACE = f"""\
kind: Runtime
routing: {{default_agent: ops}}
admins: [{CAST.admin}]
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Agent
name: ops
description: Looks after services.
model: demo
---
kind: Agent
name: guide
description: Explains.
model: demo
---
kind: Channel
channel: {CAST.private}
follow: mention
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """``door`` is the way into the simulated Slack; ``send`` and its like go straight to the bot."""

    front: Front
    core: Core
    slack: Playground
    door: Door
    session: aiohttp.ClientSession
    settings: Settings
    metrics: Metrics
    installation: Installation
    holder: WorkspaceHolder

    async def send(self, body: tuple[bytes, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Posts bytes of a content type, signed unless ``headers`` are given."""
        raw, content_type = body
        given = signed(raw, content_type) if headers is None else headers
        async with self.session.post(
            f"{self.front.url}/slack/events", data=io.BytesIO(raw), headers=given
        ) as answer:
            return Reply(status=answer.status, text=await answer.text())

    async def event(self, event: Mapping[str, Any], **envelope: Any) -> Reply:
        return await self.send(as_json(event_body(event, **envelope)))

    async def act(self, body: Mapping[str, Any]) -> Reply:
        return await self.send(as_payload(body))

    async def command(self, fields: Mapping[str, str]) -> Reply:
        return await self.send(as_form(fields))

    async def get(self, path: str) -> Reply:
        async with self.session.get(f"{self.front.url}{path}") as answer:
            return Reply(status=answer.status, text=await answer.text())

    async def runs(self) -> list[Run]:
        """Every run of the team, newest first."""
        return list((await self.core.control.list_runs(CAST.team, limit=100)).items)

    async def the_run(self) -> Run:
        (run,) = await self.runs()
        return run

    async def the_thread(self, root: str) -> Thread:
        """The thread of a conversation in the general channel."""
        thread = await self.core.control.find_thread(CAST.team, f"{CAST.general}:{root}")
        assert thread is not None
        return thread

    async def told(self, user: str, count: int = 1) -> list[Ephemeral]:
        """Waits for so many messages that only ``user`` sees."""

        async def enough() -> list[Ephemeral]:
            seen = await self.door.ephemerals(user=user)
            return seen if len(seen) >= count else []

        return await wait_until(enough, timeout=5, what=f"{count} ephemeral messages to {user}")


def environment(slack: Playground, redis_url: str, folder: Path) -> dict[str, str]:
    """The settings of one stage; its workspace is written to ``folder``."""
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    (workspace / "team.yaml").write_text(WORKSPACE, encoding="utf-8")
    return {
        "SLACK_BOT_TOKEN": slack.config.bot_token,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": slack.api_url,
        "REDIS_URL": redis_url,
        "HARNESS_SEAL_KEY": base64.b64encode(SEAL_KEY).decode(),
        "HARNESS_WORKSPACE": str(workspace),
        "HARNESS_DATA": str(folder / "data"),
        "HOST": "127.0.0.1",
        "PORT": "0",
        "HARNESS_ADMINS": "U0OPERATOR",
    }


@asynccontextmanager
async def raised_stage(
    redis_url: str, folder: Path, changes: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """The front within the block. ``changes`` go over the environment."""
    config = PlaygroundConfig(signing_secret=SECRET, limits="off", retry_delays=(0.05, 0.05, 0.05))
    async with await start_playground(config) as slack:
        given = environment(slack, redis_url, folder) | dict(changes or {})
        settings, metrics = read_settings(given, Purpose.WEB, terminal=False), Metrics()
        holder = open_workspace(settings)
        async with (
            Door(slack.door_url) as door,
            open_core(settings) as core,
            open_team(settings, metrics) as team,
            open_front(settings, core, team, holder, metrics, watch_workspace=False) as front,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
        ):
            if not settings.socket_mode:
                await door.point_at(f"{front.url}/slack/events")
            await core.store.presence.beat(WORKER, 600)
            yield Stage(
                front=front,
                core=core,
                slack=slack,
                door=door,
                session=session,
                settings=settings,
                metrics=metrics,
                installation=team.installation,
                holder=holder,
            )
