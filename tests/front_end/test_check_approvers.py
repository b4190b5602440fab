from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from front_end.slack_bodies import CAST
from front_end.stage import WORKSPACE, environment

from bot.check import REQUIRED_SCOPES, WANTED_SCOPES, check
from bot.findings import Finding
from bot.playground import Door, Playground, PlaygroundConfig, start_playground
from bot.playground.faults import ErrorAnswer
from bot.settings import Purpose, read_settings

TOOL = """\
---
kind: Tool
name: restart
python: check_tools:restart
approval: always
idempotent: false
"""
GROUP = f"{{usergroups: [{CAST.ops_group}]}}"


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with await start_playground(PlaygroundConfig(limits="off")) as running:
        yield running


@pytest.fixture
async def door(slack: Playground) -> AsyncIterator[Door]:
    async with Door(slack.door_url) as opened:
        yield opened


class Folder:
    """A workspace to be written and checked."""

    def __init__(self, environ: Mapping[str, str], path: Path) -> None:
        self.environ = environ
        self._path = path

    async def check(
        self, approvers: str, *, channels: Mapping[str, str] | None = None, quorum: int = 1, tool: str = TOOL
    ) -> list[Finding]:
        """What the command prints for these rules."""
        approvals = f"approvals: {{approvers: {approvers}, quorum: {quorum}}}\ntool_packages: [check_tools]\n"
        first, rest = WORKSPACE.split("---\n", 1)
        rules = "".join(
            f"---\nkind: Channel\nchannel: {channel}\napprovals: {{approvers: {rule}}}\n"
            for channel, rule in (channels or {}).items()
        )
        (self._path / "team.yaml").write_text(f"{first}{approvals}---\n{rest}{tool}{rules}", encoding="utf-8")
        (self._path / "check_tools.py").write_text(
            'def restart(service: str) -> str:\n    """Restarts."""\n    return service\n', encoding="utf-8"
        )
        settings = read_settings(self.environ, Purpose.CHECK, terminal=False)
        return [finding async for finding in check(settings)]


@pytest.fixture
def folder(slack: Playground, redis_url: str, tmp_path: Path) -> Folder:
    return Folder(environment(slack, redis_url, tmp_path), tmp_path / "workspace")


def told(found: list[Finding], level: str, subject: str = "approvers") -> list[str]:
    return [each.text for each in found if (each.level, each.subject) == (level, subject)]


def errors(found: list[Finding]) -> list[str]:
    return [f"{each.subject}: {each.text}" for each in found if each.level == "error"]


async def test_who_can_approve_what_is_told_with_the_name_and_size_of_groups(folder: Folder) -> None:
    found = await folder.check(GROUP, channels={CAST.ops: f"{{users: [{CAST.approver}], requester: true}}"})
    assert errors(found) == []
    lines = told(found, "ok")
    assert f"{CAST.ops_group} = @ops, 2 people" in lines
    assert f"in {CAST.ops}: {CAST.approver} and the requester can decide: restart" in lines
    assert f"in channels without a rule of their own: {CAST.ops_group} can decide: restart" in lines


@pytest.mark.parametrize(
    ("approvers", "why"),
    [
        ("{}", "nobody can approve restart: name people"),
        ("{users: [U0NOBODY]}", "U0NOBODY is no user of this team"),
        (f"{{users: [{CAST.deleted}]}}", f"{CAST.deleted} is deactivated"),
        ("{usergroups: [S0GONE]}", "S0GONE is no user group of this team"),
    ],
)
async def test_a_rule_that_reaches_nobody_is_an_error_with_the_reason(
    folder: Folder, approvers: str, why: str
) -> None:
    (found,) = errors(await folder.check(approvers))
    assert found.startswith("approvers: in channels without a rule of their own: nobody can approve restart")
    assert why in found


@pytest.mark.parametrize("left", [[], [CAST.deleted], [CAST.guest, CAST.stranger]])
async def test_a_group_in_which_nobody_is_left_who_could_approve_is_an_error(
    folder: Folder, door: Door, left: list[str]
) -> None:
    await door.change_group(CAST.ops_group, left)
    (found,) = errors(await folder.check(GROUP))
    assert f"{CAST.ops_group} has no members left" in found


async def test_a_quorum_that_the_people_of_a_rule_cannot_make_is_an_error(folder: Folder) -> None:
    (found,) = errors(await folder.check(f"{{users: [{CAST.approver}]}}", quorum=2))
    assert "asks for 2 approvals, and 1 person at most can give one" in found
    enough = await folder.check(f"{{users: [{CAST.approver}, {CAST.admin}, {CAST.requester}]}}", quorum=2)
    assert errors(enough) == []
    assert any("2 of them together" in line for line in told(enough, "ok"))


async def test_one_defect_of_a_rule_that_still_reaches_somebody_is_a_warning(folder: Folder) -> None:
    found = await folder.check(f"{{users: [U0NOBODY], usergroups: [{CAST.ops_group}]}}")
    assert errors(found) == []
    assert any("U0NOBODY is no user of this team" in line for line in told(found, "warning"))


async def test_a_single_approver_who_could_not_approve_their_own_request_is_a_warning(folder: Folder) -> None:
    found = await folder.check(f"{{users: [{CAST.approver}]}}")
    assert errors(found) == []
    (warning,) = told(found, "warning")
    assert f"{CAST.approver} cannot approve their own requests" in warning


async def test_a_channel_with_a_rule_of_its_own_makes_an_empty_general_rule_a_warning(folder: Folder) -> None:
    found = await folder.check("{}", channels={CAST.ops: GROUP})
    assert errors(found) == []
    assert any("nobody can approve restart" in line for line in told(found, "warning"))
    empty = await folder.check(GROUP, channels={CAST.ops: "{users: [U0NOBODY]}"})
    (error,) = errors(empty)
    assert f"in {CAST.ops}: nobody" in error


async def test_members_of_a_channel_count_where_the_channel_is_known(folder: Folder) -> None:
    found = await folder.check("{channel_members: true}", channels={CAST.outside: "{channel_members: true}"})
    assert errors(found) == []
    assert any("members of the channel can decide" in line for line in told(found, "ok"))


async def test_what_slack_does_not_answer_is_a_warning_and_no_error(folder: Folder, door: Door) -> None:
    await door.fault(ErrorAnswer(error="missing_scope", method="usergroups.users.list", calls=None))
    found = await folder.check(GROUP)
    assert errors(found) == []
    assert any("could not be looked up (missing_scope)" in line for line in told(found, "warning"))


async def test_a_tool_that_only_asks_after_a_crash_makes_an_empty_rule_a_warning(folder: Folder) -> None:
    found = await folder.check("{}", tool=TOOL.replace("always", "never"))
    assert errors(found) == []
    assert any("say what happened when a crash interrupts restart" in line for line in told(found, "warning"))


async def test_where_no_tool_asks_nothing_is_looked_up(folder: Folder, door: Door) -> None:
    found = await folder.check("{users: [U0NOBODY]}", tool="")
    assert not [each for each in found if each.subject == "approvers"]
    assert await door.calls("users.info") == []


async def test_a_tool_that_says_neither_approval_nor_idempotent_is_a_warning(folder: Folder) -> None:
    bare = TOOL.replace("approval: always\nidempotent: false\n", "")
    found = await folder.check(GROUP, tool=bare)
    assert any("neither approval nor idempotent" in line for line in told(found, "warning", "workspace"))


@pytest.mark.parametrize(
    ("approvers", "scopes"),
    [
        ("{usergroups: [S1]}", {"usergroups:read"}),
        ("{channel_members: true}", {"channels:read", "groups:read"}),
        ("{users: [U1, U2]}", set[str]()),
    ],
)
async def test_a_rule_makes_the_scopes_that_it_needs_required(
    folder: Folder, approvers: str, scopes: set[str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        who = {"ok": True, "team": "Acme", "team_id": "T1", "user": "h", "user_id": "U1", "bot_id": "B1"}
        told = who if request.path == "/auth.test" else {"ok": False, "error": "missing_scope"}
        given = ",".join((*REQUIRED_SCOPES, *WANTED_SCOPES))
        return web.json_response(told, headers={"x-oauth-scopes": given})

    app = web.Application()
    app.router.add_route("*", "/{method}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        folder.environ = {**folder.environ, "SLACK_API_URL": str(server.make_url("/"))}
        found = await folder.check(approvers)
    assert {line.split()[0] for line in told(found, "error", "scopes")} == scopes
    assert {line.split()[1] for line in errors(found)} == scopes
