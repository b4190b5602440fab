from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.errors import SealKeyUnusable
from bot.seal_key import load_seal_key
from bot.settings import Purpose, Settings, SettingsInvalid, child_environment, prepare_process, read_settings

KEY = base64.b64encode(bytes(32)).decode()
GOOD = {"SLACK_BOT_TOKEN": "xoxb-1-token", "SLACK_SIGNING_SECRET": "0123456789abcdef"}


def read(changes: dict[str, str] | None = None, purpose: Purpose = Purpose.SERVE) -> Settings:
    return read_settings(GOOD | (changes or {}), purpose, terminal=False)


def problems(environ: dict[str, str], purpose: Purpose = Purpose.SERVE) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as raised:
        read_settings(environ, purpose, terminal=False)
    return raised.value.problems


def test_defaults_are_those_of_the_contract() -> None:
    settings = read()
    assert settings.api_url == "https://slack.com/api/"
    assert (settings.host, settings.port, settings.playground_port) == ("0.0.0.0", 3000, 8080)
    assert (settings.workspace, settings.data) == (Path("workspace"), Path(".harness"))
    assert (settings.redis_url, settings.seal_key, settings.metrics_port) == (None, None, None)
    assert (settings.log_level, settings.log_format, settings.socket_mode) == ("info", "json", False)
    assert read_settings(GOOD, Purpose.SERVE, terminal=True).log_format == "console"


def test_empty_means_unset() -> None:
    names = (
        "SLACK_APP_TOKEN",
        "SLACK_API_URL",
        "REDIS_URL",
        "HARNESS_WORKSPACE",
        "HARNESS_DATA",
        "HOST",
        "PORT",
    )
    more = ("HARNESS_PLAYGROUND_PORT", "HARNESS_METRICS_PORT", "LOG_LEVEL", "LOG_FORMAT", "HARNESS_SEAL_KEY")
    empty = dict.fromkeys((*names, *more, "HARNESS_ADMINS", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"), "")
    assert repr(read(empty)) == repr(read())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"])
def test_a_missing_last_slash_of_the_api_url_is_added(url: str) -> None:
    assert read({"SLACK_API_URL": url}).api_url == "http://127.0.0.1:9/api/"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
@pytest.mark.parametrize("purpose", [Purpose.SERVE, Purpose.WEB])
def test_http_mode_without_a_signing_secret_is_refused(purpose: Purpose, blank: str) -> None:
    (problem,) = problems(GOOD | {"SLACK_SIGNING_SECRET": blank}, purpose)
    assert problem.startswith("SLACK_SIGNING_SECRET is not set")


def test_socket_mode_and_a_worker_need_no_signing_secret() -> None:
    assert read({"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}).socket_mode
    read({"SLACK_SIGNING_SECRET": ""}, Purpose.WORKER)


def test_shell_commands_need_no_token() -> None:
    read_settings({}, Purpose.SHELL, terminal=False)


def test_every_mistake_is_told_at_once_each_by_the_name_of_its_variable() -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "xapp-1-swapped",
        "SLACK_APP_TOKEN": "xoxb-1-swapped",
        "SLACK_SIGNING_SECRET": "two words",
        "SLACK_API_URL": "slack.com",
        "REDIS_URL": "http://redis",
        "HARNESS_SEAL_KEY": "c2hvcnQ=",
        "PORT": "http",
        "HARNESS_PLAYGROUND_PORT": "70000",
        "HARNESS_METRICS_PORT": "-1",
        "LOG_LEVEL": "loud",
        "LOG_FORMAT": "xml",
        "HARNESS_ADMINS": "U012ABC, rosa",
    }
    found = problems(wrong)
    assert [next(name for name in wrong if problem.startswith(name)) for problem in found] == list(
        dict.fromkeys(problem.split()[0] for problem in found)
    )
    assert {problem.split()[0] for problem in found} == set(wrong)
    assert len(found) == len(wrong)
    assert all(problem.endswith(".") for problem in found)


def test_no_problem_and_no_repr_shows_a_secret() -> None:
    secrets = {
        "SLACK_BOT_TOKEN": "xapp-hush-1",
        "SLACK_SIGNING_SECRET": "hush hush-2",
        "HARNESS_SEAL_KEY": "hush-3",
        "REDIS_URL": "ftp://user:hush-4@redis",
    }
    with pytest.raises(SettingsInvalid) as raised:
        read_settings(secrets, Purpose.SERVE, terminal=False)
    assert "hush" not in f"{raised.value} {raised.value!r} {raised.value.settings!r}"
    assert KEY not in repr(read({"HARNESS_SEAL_KEY": KEY}))


def test_redis_url_without_a_seal_key_is_refused_for_every_process() -> None:
    for purpose in Purpose:
        (problem,) = problems(GOOD | {"REDIS_URL": "redis://localhost"}, purpose)
        assert problem.startswith("HARNESS_SEAL_KEY is not set")
    settings = read({"REDIS_URL": "redis://:pass-word@localhost", "HARNESS_SEAL_KEY": KEY})
    assert set(settings.secrets()) == {*GOOD.values(), KEY, "pass-word"}


def test_an_oauth_client_is_said_not_to_be_available_yet() -> None:
    settings = read({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s"})
    (notice,) = settings.notices
    assert "OAuth is not available yet" in notice


def test_admins_are_read_as_a_list() -> None:
    assert read({"HARNESS_ADMINS": " U012ABC ,W034DEF,"}).admins == {"U012ABC", "W034DEF"}


def test_after_reading_nothing_secret_is_left_to_be_inherited() -> None:
    environ = GOOD | {
        "SLACK_CLIENT_ID": "1",
        "REDIS_URL": "redis://x",
        "PATH": "/bin",
        "LANGSMITH_TRACING": "true",
    }
    prepare_process(environ)
    assert environ == {
        "PATH": "/bin",
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "false",
    }


def test_another_program_of_ours_inherits_nothing_that_is_set_for_the_bot() -> None:
    settings = read(
        {"PATH": "/bin", "OPENAI_API_KEY": "k", "REDIS_URL": "redis://x", "HARNESS_SEAL_KEY": KEY}
    )
    assert child_environment(settings, {"PORT": "1"}) == {"PATH": "/bin", "OPENAI_API_KEY": "k", "PORT": "1"}


def test_the_key_of_the_embedded_redis_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = read({"HARNESS_DATA": str(tmp_path / "data")})
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_seal_key, [settings] * 16))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    file = tmp_path / "data" / "seal.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["seal.key"]


def test_a_key_that_is_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = read({"HARNESS_DATA": str(tmp_path), "HARNESS_SEAL_KEY": KEY})
    assert load_seal_key(settings) == bytes(32)
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_that_others_may_read_or_that_is_damaged_is_refused(tmp_path: Path) -> None:
    settings = read({"HARNESS_DATA": str(tmp_path)})
    file = tmp_path / "seal.key"
    file.write_text(KEY)
    file.chmod(0o644)
    with pytest.raises(SealKeyUnusable, match="chmod 600"):
        load_seal_key(settings)
    file.chmod(0o600)
    file.write_text("gone")
    with pytest.raises(SealKeyUnusable, match="damaged"):
        load_seal_key(settings)
