"""An app that keeps the product's contract on the wire and has nothing behind it: a script, to try the page with.

A mention is answered once, with steps, by a message that is edited while it grows. "restart …" asks by a card
first. `careless` apps answer every copy of a message; `mute` ones never answer.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast

Json = dict[str, Any]
CAST = Cast()
ANSWER = "The **connection pool** of checkout is full.\n\n| time | waiting |\n| --- | --- |\n| 14:02 | 41 |"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(action: str, label: str, value: str = "v", **more: Any) -> Json:
    return {"type": "button", "action_id": action, "text": plain(label), "value": value, **more}


def context(*texts: str) -> Json:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def running(step: int, steps: int, answer: str = "") -> list[Json]:
    words = [{"type": "markdown", "text": answer}] if answer else []
    return [
        context(f"ops · Reading the log · step {step} · since 10:00"),
        context(f"Done: step {step - 1}", f"Now: step {step} of {steps}"),
        *words,
        {"type": "actions", "elements": [button("run:stop", "Stop"), button("run:steps", "Steps")]},
    ]


def ended(answer: str, *more: Json) -> list[Json]:
    controls = {"type": "actions", "elements": [button("run:steps", "Steps"), *more]}
    return [{"type": "markdown", "text": answer}, context("ops · 3 steps · 2 s · run 00000A"), controls]


def card(env: str, revision: int, before: str | None = None) -> list[Json]:
    ref = f"appr_1:{revision}"
    confirm = {
        "title": plain(f"Restart checkout in {env}?"),
        "text": plain("This runs now."),
        "confirm": plain("Restart"),
        "deny": plain("Go back"),
        "style": "danger",
    }
    arguments = {"type": "text", "text": f"service: checkout\nenv: {env}"}
    changed = [context(f"<@{CAST.approver}> changed env: {before} → {env}.")] if before else []
    blocks = [
        {"type": "header", "text": plain(f"Restart checkout in {env}?")},
        context(f"ops · asked by <@{CAST.requester}>"),
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [arguments]}]},
        {"type": "section", "text": plain("All connections of checkout are dropped once.")},
        *changed,
        context(f"<@{CAST.approver}> can decide, except <@{CAST.requester}>, who asked."),
        {
            "type": "actions",
            "elements": [
                button("approval:approve", "Approve", ref, style="primary", confirm=confirm),
                button("approval:edit", "Edit", ref),
                button("approval:reject", "Reject", ref),
            ],
        },
    ]
    return [block | {"block_id": f"card:{revision}:{index}"} for index, block in enumerate(blocks)]


def edit_modal(env: str, revision: int) -> Json:
    options = [{"text": plain(name), "value": json.dumps(name)} for name in ("prod", "staging")]
    chosen = next(option for option in options if option["value"] == json.dumps(env))
    return {
        "type": "modal",
        "callback_id": "approval:edit",
        "private_metadata": f"appr_1:{revision}",
        "title": plain("Change the request"),
        "submit": plain("Save"),
        "blocks": [
            {
                "type": "input",
                "block_id": "arg:service",
                "label": plain("service"),
                "element": {"type": "plain_text_input", "action_id": "value", "initial_value": "checkout"},
            },
            {
                "type": "input",
                "block_id": "arg:env",
                "label": plain("env"),
                "hint": plain("Where it runs."),
                "element": {
                    "type": "static_select",
                    "action_id": "value",
                    "options": options,
                    "initial_option": chosen,
                },
            },
        ],
    }


def home(pressed: int) -> Json:
    row = {
        "type": "actions",
        "block_id": "row",
        "elements": [button("home:press", f"Pressed {pressed} times", str(pressed))],
    }
    return {
        "type": "home",
        "blocks": [{"type": "header", "text": plain("Waiting for you")}, context("Nothing waits."), row],
    }


@dataclass(slots=True)
class ScriptedApp:
    """`step` is the pause between two edits in seconds; `effects` where a restart has its effect.

    `script` answers in its own way: it gets the channel and the root of the thread. While `gate` is closed, an
    answer does not get beyond its first step.
    """

    careless: bool = False
    mute: bool = False
    steps: int = 3
    step: float = 0.1
    effects: str | None = None
    script: Callable[[str, str], Coroutine[Any, Any, None]] | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    api: AsyncWebClient = field(default_factory=AsyncWebClient)
    asked: list[str] = field(default_factory=list)
    clicks: list[str] = field(default_factory=list)
    _cards: dict[str, tuple[str, int]] = field(default_factory=dict)
    _roots: dict[str, str] = field(default_factory=dict)
    _pressed: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self.gate.set()
        app = web.Application()
        app.router.add_post("/slack/events", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"
        return self

    async def forget(self) -> None:
        """Whatever it was doing, and with whom."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for memory in (self.asked, self.clicks, self._cards, self._roots):
            memory.clear()
        self._pressed = 0
        self.gate.set()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self.forget()
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        if request.content_type == "application/json":
            self._event(json.loads(body)["event"])
            return web.Response()
        form = dict(parse_qsl(body, keep_blank_values=True))
        if "command" in form:
            return web.json_response(
                {"response_type": "ephemeral", "text": f"You typed {form['command']} {form['text']}"}
            )
        payload = json.loads(form["payload"])
        if payload["type"] == "view_submission":
            return await self._submitted(payload)
        await self._clicked(payload, payload["actions"][0])
        return web.Response()

    def _event(self, event: Json) -> None:
        if event["type"] == "app_home_opened":
            self._start(self._publish_home(event["user"]))
        text, user = str(event.get("text", "")), event.get("user")
        if event["type"] not in ("message", "app_mention") or user in (CAST.bot_user, None):
            return
        key = f"{event['channel']} {event['ts']}"
        mentioned = CAST.bot_user in text or event.get("channel_type") == "im"
        if self.mute or not mentioned or (key in self.asked and not self.careless):
            return
        self.asked.append(key)
        root = event.get("thread_ts") or event["ts"]
        script = self._ask if "restart" in text else self.script or self._answer
        self._start(script(event["channel"], root))

    def _start(self, script: Any) -> None:
        task = asyncio.create_task(_tolerant(script))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, channel: str, root: str) -> None:
        await self._until_taken(
            "assistant.threads.setStatus",
            channel_id=channel,
            thread_ts=root,
            status="is reading your message",
        )
        ts = await self.say(channel, root, running(1, self.steps))
        await self.gate.wait()
        for step in range(2, self.steps + 1):
            await asyncio.sleep(self.step)
            await self.change(channel, ts, running(step, self.steps, ANSWER[: step * 12]))
        await asyncio.sleep(self.step)
        await self.change(channel, ts, ended(ANSWER))

    async def _ask(self, channel: str, root: str) -> None:
        status = [context("Waiting for approval: Restart checkout in prod. See below.")]
        controls = {"type": "actions", "elements": [button("run:stop", "Stop"), button("run:steps", "Steps")]}
        run = await self.say(channel, root, [*status, controls])
        ts = await self.say(channel, root, card("prod", 1))
        self._cards[ts] = ("prod", 1)
        self._roots[ts] = run

    async def _publish_home(self, user: str) -> None:
        await self.api.views_publish(user_id=user, view=home(self._pressed))

    async def _clicked(self, payload: Json, action: Json) -> None:
        user, name = payload["user"]["id"], action["action_id"]
        self.clicks.append(f"{user} {name}")
        if name == "home:press":
            self._pressed += 1
            self._start(self._publish_home(user))
            return
        if not name.startswith("approval:"):
            return
        container = payload["container"]
        channel, ts, root = container["channel_id"], container["message_ts"], container["thread_ts"]
        env, revision = self._cards[ts]
        match name:
            case "approval:edit":
                await self.api.views_open(trigger_id=payload["trigger_id"], view=edit_modal(env, revision))
                self._roots["editing"] = ts
                self._roots["channel"] = channel
            case "approval:approve" if user == CAST.requester:
                words = f"You asked for this, so someone else must approve. <@{CAST.approver}> can."
                await self.api.chat_postEphemeral(channel=channel, user=user, thread_ts=root, text=words)
            case "approval:approve":
                self._start(self._run(channel, ts, user, env))

    async def _run(self, channel: str, ts: str, user: str, env: str) -> None:
        outcome = context(f"Approved by <@{user}>. Ran once at 10:02.")
        title = {"type": "section", "text": mrkdwn(f"*Restart checkout in {env}*")}
        details = {"type": "actions", "elements": [button("approval:details", "Details")]}
        if self.effects:
            said = {"key": f"key-{ts}", "what": "restart_service", "service": "checkout", "env": env}
            async with aiohttp.ClientSession() as session, session.post(self.effects, json=said):
                pass
        await self.change(channel, ts, [title, outcome, details])
        await self.change(channel, self._roots[ts], ended(f"Checkout was restarted in {env}."))

    async def _submitted(self, payload: Json) -> web.Response:
        values = payload["view"]["state"]["values"]
        if values["arg:service"]["value"]["value"] != "checkout":
            problem = {"arg:service": "There is no such service: write checkout, payments or search."}
            return web.json_response({"response_action": "errors", "errors": problem})
        ts = self._roots["editing"]
        before, revision = self._cards[ts]
        env = json.loads(values["arg:env"]["value"]["selected_option"]["value"])
        self._cards[ts] = (env, revision + 1)
        self._start(self.change(self._roots["channel"], ts, card(env, revision + 1, before)))
        return web.Response()

    async def say(self, channel: str, root: str, blocks: list[Json]) -> str:
        answer = await self._until_taken(
            "chat.postMessage", channel=channel, thread_ts=root, text="x", blocks=blocks
        )
        return str(answer["ts"])

    async def change(self, channel: str, ts: str, blocks: list[Json]) -> None:
        await self._until_taken("chat.update", channel=channel, ts=ts, text="x", blocks=blocks)

    async def _until_taken(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Waits as long as Slack says so; a reply that never came is not asked for again."""
        while True:
            try:
                return (await self.api.api_call(method, json=arguments)).data  # type: ignore[return-value]  # the answer of a method is always a JSON object
            except SlackApiError as refused:
                if refused.response.status_code != 429:
                    raise
                await asyncio.sleep(float(refused.response.headers["Retry-After"]))


async def _tolerant(script: Any) -> None:
    with suppress(aiohttp.ClientError, SlackApiError):
        await script
