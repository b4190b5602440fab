"""``check``: everything that can be wrong before the bot starts, each with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check_approvers import ApproverCheck, asking_tools, doubtful_tools, places
from bot.check_checkpoints import check_checkpoints
from bot.delivery.web_api import SingleToken, WebApi, open_session
from bot.errors import StartupFailed
from bot.findings import Finding
from bot.people import People
from bot.settings import Settings
from bot.startup import importable, open_core
from harness_core import Workspace, check_workspace

REQUIRED_SCOPES: Final = {
    "app_mentions:read": "it never hears a mention",
    "chat:write": "it cannot answer",
}
WANTED_SCOPES: Final = {
    "channels:history": "it cannot follow threads in public channels",
    "commands": "there is no slash command",
    "groups:history": "it cannot follow threads in private channels",
    "im:history": "it hears no direct messages",
    "mpim:history": "it cannot follow group messages",
    "reactions:write": "nobody sees that a message waits",
    "users:read": "guests and strangers are not refused",
}

GROUP_SCOPE: Final = "usergroups:read"
CHANNEL_SCOPES: Final = ("channels:read", "groups:read")

_SCOPES_HEADER: Final = "x-oauth-scopes"
_ASK_WITHIN: Final = 10.0
_WHERE: Final = "add it under “OAuth & Permissions” and install the app again"


async def check(settings: Settings, problems: tuple[str, ...] = ()) -> AsyncIterator[Finding]:
    """Every finding, in the order of the looking. ``problems`` are what reading the settings found."""
    for finding in _settings(settings, problems):
        yield finding
    importable(settings.workspace)
    checked = await asyncio.to_thread(check_workspace, settings.workspace, settings.environ)
    for diagnostic in checked.findings:
        yield Finding(diagnostic.severity, "workspace", str(diagnostic))
    if checked.workspace is not None:
        yield Finding("ok", "workspace", _agents(checked.workspace))
        async for finding in _runtime(checked.workspace):
            yield finding
    async for finding in _connections(settings, problems, checked.workspace):
        yield finding
    for finding in _who(settings, checked.workspace):
        yield finding


def _settings(settings: Settings, problems: tuple[str, ...]) -> list[Finding]:
    found = [Finding("error", "settings", problem) for problem in problems]
    found += [Finding("warning", "settings", notice) for notice in settings.notices]
    return found if problems else [*found, Finding("ok", "settings", _mode(settings))]


async def _connections(
    settings: Settings, problems: tuple[str, ...], workspace: Workspace | None
) -> AsyncIterator[Finding]:
    if not any("HARNESS_SEAL_KEY" in problem or "REDIS_URL" in problem for problem in problems):
        async for finding in _redis(settings, workspace):
            yield finding
    if settings.bot_token is not None:
        async for finding in _team(settings, workspace):
            yield finding
    if settings.app_token is not None:
        yield await _app_token(settings)


async def _runtime(workspace: Workspace) -> AsyncIterator[Finding]:
    # Imported here because it loads LangChain, which a process that only faces Slack must not.
    from harness_core import check_runtime  # noqa: PLC0415 - as the line above says

    found = await asyncio.to_thread(check_runtime, workspace)
    for diagnostic in found:
        yield Finding(diagnostic.severity, "runtime", str(diagnostic))
    if not found:
        yield Finding(
            "ok", "runtime", f"{len(workspace.tools)} tools and {len(workspace.models)} models load"
        )


async def _redis(settings: Settings, workspace: Workspace | None) -> AsyncIterator[Finding]:
    """The store, and whether what the workspace keeps outside of it can be found by those who work."""
    embedded = settings.redis_url is None
    try:
        async with open_core(settings) as core:
            await core.store.ping()
            workers = len(await core.control.alive_workers())
    except StartupFailed as error:
        yield Finding("error", "Redis", str(error))
        return
    shared = "processes of this machine that share the folder share it; other machines need REDIS_URL"
    yield Finding("ok", "Redis", f"{core.redis}: {shared}" if embedded else core.redis)
    if workspace is not None:
        for finding in check_checkpoints(workspace, workers, embedded=embedded):
            yield finding


async def _team(settings: Settings, workspace: Workspace | None) -> AsyncIterator[Finding]:
    """The team of the token, what the token may do there, and who can approve what."""
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    answer = await _ask(settings, "auth.test", token)
    if isinstance(answer, Finding):
        yield answer
        return
    team = str(answer.get("team_id"))
    yield Finding(
        "ok",
        "Slack",
        f"{answer.get('team')} ({team}), as {answer.get('user')} ({answer.get('user_id')})",
    )
    for finding in _scopes(answer.headers, _needed_for_rules(workspace)):
        yield finding
    if workspace is None:
        return
    async with open_session(settings.api_url) as session:
        api = WebApi(session, SingleToken(token), base_url=settings.api_url)
        people = People(api)
        async for finding in ApproverCheck(api, people, team).report(workspace):
            yield finding
        await people.close()


def _needed_for_rules(workspace: Workspace | None) -> dict[str, str]:
    """The scopes without which a rule of the workspace reaches nobody."""
    if workspace is None or not (asking_tools(workspace) or doubtful_tools(workspace)):
        return {}
    rules = places(workspace)
    groups = any(rule.usergroups for rule in rules)
    channels = any(rule.channel_members for rule in rules)
    needed = {GROUP_SCOPE: "nobody can approve as one of a user group"} if groups else {}
    return needed | (
        dict.fromkeys(CHANNEL_SCOPES, "nobody can approve as a member of a channel") if channels else {}
    )


async def _app_token(settings: Settings) -> Finding:
    token = settings.app_token.get_secret_value() if settings.app_token else ""
    answer = await _ask(settings, "apps.connections.open", token)
    return answer if isinstance(answer, Finding) else Finding("ok", "Slack", "gives a socket for Socket Mode")


async def _ask(settings: Settings, method: str, token: str) -> Any:
    """The SDK's answer, whose headers matter here, or the finding that there is none."""
    variable = "SLACK_BOT_TOKEN" if method == "auth.test" else "SLACK_APP_TOKEN"
    async with open_session(settings.api_url) as session:
        client = AsyncWebClient(token, base_url=settings.api_url, session=session, retry_handlers=[])
        client.proxy = None
        try:
            async with asyncio.timeout(_ASK_WITHIN):
                return await client.api_call(method)
        except SlackApiError as error:
            reason = error.response.get("error") or f"status {error.response.status_code}"
            return Finding(
                "error",
                "Slack",
                f"{method} is refused ({reason}): copy {variable} from your app's page again.",
            )
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            reason = type(error).__name__
            return Finding(
                "error",
                "Slack",
                f"no answer from {settings.api_url} ({reason}): check the network and SLACK_API_URL.",
            )


def _scopes(headers: Any, for_rules: dict[str, str]) -> list[Finding]:
    """Slack names the token's scopes beside its answers; without the header there is nothing to compare."""
    told = next((value for name, value in dict(headers).items() if name.lower() == _SCOPES_HEADER), None)
    if told is None:
        return []
    given = {scope.strip() for scope in str(told).split(",")}
    required = REQUIRED_SCOPES | for_rules
    return [
        Finding(
            "error" if scope in required else "warning",
            "scopes",
            f"{scope} is missing, so {so}: {_WHERE}.",
        )
        for scope, so in (WANTED_SCOPES | required).items()
        if scope not in given
    ]


def _who(settings: Settings, workspace: Workspace | None) -> list[Finding]:
    """Who may do what."""
    named = workspace.runtime.admins if workspace is not None else ()
    admins = sorted(settings.admins | frozenset(named))
    everybody = "everybody in a channel may stop its runs; a run's requester and admins may retry it"
    found = [Finding("ok", "people", everybody)]
    if admins:
        found.append(Finding("ok", "people", f"admins: {', '.join(admins)}"))
    else:
        found.append(
            Finding(
                "warning",
                "people",
                "nobody is an admin, so nobody can list or cancel other people's runs in Slack: "
                "name user ids under `admins` in the Runtime, or in HARNESS_ADMINS.",
            )
        )
    return found


def _mode(settings: Settings) -> str:
    return "Socket Mode" if settings.socket_mode else f"HTTP on {settings.host}:{settings.port}"


def _agents(workspace: Workspace) -> str:
    names = sorted(workspace.agents)
    return f"agents: {', '.join(names)}; {workspace.runtime.routing.default_agent} answers by default"
