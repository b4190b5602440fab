from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from front_end.command_line import WITHIN, bot, line, started
from front_end.slack_bodies import CAST, SECRET
from front_end.stage import environment

from bot.playground import Door, Playground, PlaygroundConfig, start_playground
from bot.playground.block_kit.surfaces import interactive
from bot.playground.records import Ephemeral, Message
from bot.view.values import (
    APPROVAL_APPROVE,
    APPROVAL_EDIT,
    APPROVAL_GRANT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    GRANT_REVOKE,
)

TOOLS = '''\
from pathlib import Path


def restart(service: str) -> str:
    """Restarts a service.

    Use it whenever a restart is asked for.
    """
    with (Path(__file__).parent / "effects").open("a") as effects:
        effects.write(f"{service}\\n")
    return f"{service} was restarted"
'''
TEAM = f"""\
kind: Runtime
routing: {{default_agent: ops}}
admins: [{CAST.admin}]
tool_packages: [story_tools]
approvals: {{approvers: {{usergroups: [{CAST.ops_group}]}}}}
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Tool
name: restart
python: story_tools:restart
title: "Restart {{service}}"
approval: always
idempotent: false
---
kind: Agent
name: ops
model: demo
tools: [restart]
---
kind: Policy
name: granting
tools: {{restart: {{grants: {{allowed: true, for: 30m, times: 1}}}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The product as it is served, and the people around it."""

    door: Door
    environ: dict[str, str]
    effects: Path

    def happened(self) -> list[str]:
        """What the tool really did."""
        return self.effects.read_text().split() if self.effects.exists() else []

    async def card(self, thread: Message, text: str = "Approval needed", *, without: str = "") -> Message:
        """The newest card in a thread with ``text`` in its fallback, and with buttons."""
        return await self.door.wait_for_message(
            CAST.general,
            lambda message: (
                text in message.text
                and _value(message, APPROVAL_APPROVE) not in ("", without)
                and message.user == CAST.bot_user
            ),
            thread_ts=thread.ts,
            within=WITHIN,
            what=f"a card with {text!r}",
        )

    async def says(self, thread: Message, text: str) -> Message:
        """A message of the bot in a thread whose text or blocks hold ``text``."""
        return await self.door.wait_for_message(
            CAST.general,
            lambda message: (
                message.user == CAST.bot_user
                and text in message.text + json.dumps(message.blocks, ensure_ascii=False)
            ),
            thread_ts=thread.ts,
            within=WITHIN,
            what=repr(text),
        )

    async def told(self, user: str, text: str) -> Ephemeral:
        """Something that only ``user`` sees."""

        async def seen() -> Ephemeral | None:
            shown = await self.door.ephemerals(user=user)
            return next((each for each in shown if text in each.text), None)

        return await self.door.wait_for(seen, what=repr(text))

    async def ask(self, service: str, thread: Message | None = None) -> Message:
        text = f"<@{CAST.bot_user}> restart service: {service}"
        return await self.door.post(CAST.general, text, thread_ts=thread.ts if thread else None)


def _value(message: Message, action_id: str) -> str:
    """What a button of the message carries; empty without the button."""
    elements: list[Any] = [each for block in message.blocks for each in interactive(block)]
    return next((str(each.get("value")) for each in elements if each["action_id"] == action_id), "")


@asynccontextmanager
async def served(slack: Playground, redis_url: str, folder: Path) -> AsyncIterator[Story]:
    environ = environment(slack, redis_url, folder) | {"LOG_LEVEL": "warning"}
    workspace = Path(environ["HARNESS_WORKSPACE"])
    (workspace / "team.yaml").write_text(TEAM, encoding="utf-8")
    (workspace / "story_tools.py").write_text(TOOLS, encoding="utf-8")
    async with started("serve", environ=environ) as process, Door(slack.door_url) as door:
        address = (await line(process, "mode")).removeprefix("HTTP at ")
        await door.point_at(f"{address}/slack/events")
        yield Story(door=door, environ=environ, effects=workspace / "effects")


@pytest.fixture
async def story(redis_url: str, tmp_path: Path) -> AsyncIterator[Story]:
    config = PlaygroundConfig(signing_secret=SECRET, limits="off")
    async with await start_playground(config) as slack, served(slack, redis_url, tmp_path) as told:
        yield told


async def test_a_call_is_asked_about_changed_approved_and_runs_once_as_it_was_shown(story: Story) -> None:
    door, thread = story.door, await story.ask("checkout")
    card = await story.card(thread)
    await door.click(card, APPROVAL_APPROVE, user=CAST.requester)
    await story.told(CAST.requester, "You asked for this, so someone else must approve.")

    await door.click(card, APPROVAL_EDIT, user=CAST.approver)
    assert (await door.submit({"arg:service": "billing"}, user=CAST.approver)).ok
    changed = await story.card(thread, without=_value(card, APPROVAL_APPROVE))
    assert "checkout" in json.dumps(changed.blocks), "before and after"
    assert "Restart billing" in changed.text
    assert story.happened() == []

    await door.click(changed, APPROVAL_APPROVE, user=CAST.admin)
    await story.says(thread, "billing was restarted")
    done = await story.says(thread, "Ran once at")
    assert f"<@{CAST.admin}>" in json.dumps(done.blocks)
    assert story.happened() == ["billing"]


async def test_a_rejection_and_a_decision_from_the_list_and_the_shell_are_shown_on_the_card(
    story: Story,
) -> None:
    door = story.door
    first = await story.ask("checkout")
    card = await story.card(first)
    await door.click(card, APPROVAL_REJECT, user=CAST.approver)
    assert (await door.submit({"reason": "not in the day"}, user=CAST.approver)).ok
    await story.says(first, "“not in the day” It did not run.")

    second = await story.ask("billing")
    await story.card(second)
    assert (await door.command(CAST.general, "approvals", user=CAST.approver)).ok
    listed = await story.told(CAST.approver, "Restart billing")
    await door.click(listed, APPROVAL_REVIEW, user=CAST.approver)
    assert (await door.submit({}, user=CAST.approver)).ok
    await story.says(second, "billing was restarted")

    third = await story.ask("search")
    third_card = await story.card(third)
    assert "Differs from the last approved call: service: billing → search." in _texts(third_card)
    asked = _value(third_card, APPROVAL_APPROVE).partition(":")[0]
    approved = await bot("approvals", "approve", asked, environ=story.environ)
    assert (approved.status, approved.err) == (0, "")
    await story.says(third, "search was restarted")
    await story.says(third, "Approved by shell:")
    assert story.happened() == ["billing", "search"]
    exported = await bot("audit", "export", "--verify", environ=story.environ)
    assert exported.status == 0
    decided = [json.loads(json.loads(row)["data"]) for row in exported.out.splitlines()]
    assert [each["source"] for each in decided if each["what"] == "decided"] == ["modal", "modal", "shell"]


async def test_what_was_granted_in_a_thread_runs_there_without_a_card_until_it_is_used_up(
    story: Story,
) -> None:
    door, thread = story.door, await story.ask("checkout")
    await door.click(await story.card(thread), APPROVAL_GRANT, user=CAST.approver)
    assert (await door.submit({}, user=CAST.approver)).ok
    await story.says(thread, "1 more call like it granted for 30 min.")

    await story.ask("checkout", thread)
    await story.says(thread, f"was allowed by <@{CAST.approver}>'s grant (1 of 1).")
    assert story.happened() == ["checkout"] * 2

    await story.ask("checkout", thread)
    asked_again = await story.card(thread)
    assert story.happened() == ["checkout"] * 2
    await door.click(asked_again, APPROVAL_GRANT, user=CAST.approver)
    assert (await door.submit({}, user=CAST.approver)).ok
    await door.wait_for(lambda: _three(story), what="the third restart")
    assert (await door.command(CAST.general, "grants", user=CAST.approver)).ok
    await door.click(await story.told(CAST.approver, "1 of 1 left"), GRANT_REVOKE, user=CAST.approver)
    await story.told(CAST.approver, "No call starts by it any more.")
    await story.ask("checkout", thread)
    await story.card(thread, without=_value(asked_again, APPROVAL_APPROVE))
    assert story.happened() == ["checkout"] * 3


def _texts(card: Message) -> str:
    return json.dumps(card.blocks, ensure_ascii=False)


async def _three(story: Story) -> bool:
    return len(story.happened()) == 3
