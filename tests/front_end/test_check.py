from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from front_end.stage import Stage, environment

from bot.check import REQUIRED_SCOPES, WANTED_SCOPES, check
from bot.findings import Finding
from bot.playground import Playground, PlaygroundConfig, start_playground
from bot.playground.faults import ErrorAnswer
from bot.settings import Purpose, SettingsInvalid, read_settings

EVERY_SCOPE = ",".join((*REQUIRED_SCOPES, *WANTED_SCOPES))


async def findings(environ: Mapping[str, str]) -> list[Finding]:
    """What the command prints."""
    problems: tuple[str, ...] = ()
    try:
        settings = read_settings(environ, Purpose.CHECK, terminal=False)
    except SettingsInvalid as error:
        settings, problems = error.settings, error.problems
    return [finding async for finding in check(settings, problems)]


def errors(found: list[Finding]) -> list[str]:
    return [f"{each.subject}: {each.text}" for each in found if each.level == "error"]


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with await start_playground(PlaygroundConfig(limits="off")) as running:
        yield running


@pytest.fixture
def environ(slack: Playground, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(slack, redis_url, tmp_path)


async def test_a_good_installation_has_no_error_and_names_who_may_do_what(environ: dict[str, str]) -> None:
    found = await findings(environ)
    assert errors(found) == []
    report = "\n".join(map(str, found))
    for part in (
        "HTTP on 127.0.0.1",
        "agents: guide, ops",
        "Playground (T0PLAY1)",
        "admins: U0ADMIN, U0OPERATOR",
    ):
        assert part in report
    assert "seal" not in report
    assert environ["HARNESS_SEAL_KEY"] not in report


async def test_every_part_is_looked_at_although_the_others_are_wrong(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "workspace" / "wrong.yaml").write_text("kind: Agnet\nname: x\n", encoding="utf-8")
    broken = environ | {
        "PORT": "many",
        "REDIS_URL": "redis://127.0.0.1:1",
        "SLACK_API_URL": "http://127.0.0.1:1/",
        "SLACK_APP_TOKEN": "xapp-1",
    }
    found = errors(await findings(broken))
    assert [line.split(":")[0] for line in found] == ["settings", "workspace", "Redis", "Slack", "Slack"]
    assert "wrong.yaml:1" in found[1]
    assert "Agent" in found[1], "the nearest name"


async def test_a_tool_that_cannot_be_imported_is_an_error_of_the_runtime(
    environ: dict[str, str], tmp_path: Path
) -> None:
    tool = "kind: Tool\nname: gone\npython: gone_tools:gone\nidempotent: true\napproval: never\n"
    runtime = "kind: Runtime\nrouting: {default_agent: ops}\ntool_packages: [gone_tools]\n---\n"
    team = tmp_path / "workspace" / "team.yaml"
    team.write_text(runtime + team.read_text(encoding="utf-8").split("---\n", 1)[1], encoding="utf-8")
    (tmp_path / "workspace" / "tool.yaml").write_text(tool, encoding="utf-8")
    (tmp_path / "workspace" / "gone_tools.py").write_text(
        "def gone() -> str: ...\n\n\nraise RuntimeError('no licence')\n", encoding="utf-8"
    )
    (found,) = errors(await findings(environ))
    assert found.startswith("runtime:")
    assert "no licence" in found


async def test_a_refused_token_is_named_with_what_to_do(environ: dict[str, str]) -> None:
    (found,) = errors(await findings(environ | {"SLACK_BOT_TOKEN": "xoxb-another"}))
    assert found.startswith("Slack: auth.test is refused (invalid_auth): copy SLACK_BOT_TOKEN")


async def test_an_app_token_without_its_scope_is_named(stage: Stage, tmp_path: Path) -> None:
    await stage.door.fault(ErrorAnswer(error="not_allowed_token_type", method="apps.connections.open"))
    environ = environment(stage.slack, stage.settings.environ["REDIS_URL"], tmp_path)
    (found,) = errors(await findings(environ | {"SLACK_APP_TOKEN": "xapp-playground"}))
    assert found.startswith("Slack: apps.connections.open is refused (not_allowed_token_type)")


async def test_an_oauth_client_and_a_missing_admin_are_warnings(
    environ: dict[str, str], tmp_path: Path
) -> None:
    team = tmp_path / "workspace" / "team.yaml"
    team.write_text(team.read_text(encoding="utf-8").replace("admins: [U0ADMIN]\n", ""), encoding="utf-8")
    found = await findings(environ | {"HARNESS_ADMINS": "", "SLACK_CLIENT_ID": "1.2"})
    assert errors(found) == []
    warnings = [each.text for each in found if each.level == "warning"]
    assert any("OAuth is not available yet" in text for text in warnings)
    assert any("nobody is an admin" in text for text in warnings)


@pytest.mark.parametrize(
    ("scopes", "wrong", "doubtful"),
    [
        (EVERY_SCOPE, 0, 0),
        (EVERY_SCOPE.replace("chat:write", "chat:read"), 1, 0),
        (",".join(REQUIRED_SCOPES), 0, len(WANTED_SCOPES)),
        (None, 0, 0),
    ],
)
async def test_missing_scopes_are_told_where_slack_names_them(
    environ: dict[str, str], scopes: str | None, wrong: int, doubtful: int
) -> None:
    async def auth_test(_request: web.Request) -> web.Response:
        who = {
            "ok": True,
            "team": "Acme",
            "team_id": "T1",
            "user": "harness",
            "user_id": "U1",
            "bot_id": "B1",
        }
        return web.json_response(who, headers={"x-oauth-scopes": scopes} if scopes else {})

    app = web.Application()
    app.router.add_route("*", "/auth.test", auth_test)
    async with TestServer(app, host="127.0.0.1") as server:
        found = await findings(environ | {"SLACK_API_URL": str(server.make_url("/"))})
    told = [each.level for each in found if each.subject == "scopes"]
    assert (told.count("error"), told.count("warning")) == (wrong, doubtful)
