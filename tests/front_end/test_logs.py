from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.logs import Redactor, configure_logs

SECRET = "a-signing-secret-of-ours"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The logging of the test run as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("slack_bolt", "slack_sdk", "aiohttp.access", "httpx", "httpcore", "openai", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_json_line_has_time_level_and_event_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    structlog.get_logger().info("run ended", run_id="run_1", team_id="T1")
    (line,) = lines(capsys)
    assert list(line) == ["ts", "level", "event", "run_id", "team_id"]
    assert (line["level"], line["event"]) == ("info", "run ended")
    assert line["ts"].endswith("Z")


def test_lines_of_the_standard_library_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    logging.getLogger("harness_core.engine").warning(
        "lost %s of %d", "one", 2, extra={"run_id": "run_1", "body": "what somebody wrote"}
    )
    (line,) = lines(capsys)
    assert line | {"ts": ""} == {"ts": "", "level": "warning", "event": "lost one of 2", "run_id": "run_1"}


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abcDEF",
        "xoxe.xoxp-1-Mi0yLTEy",
        "xapp-1-A0-1-abc",
        "sk-proj-abcdefgh12345678",
        SECRET,
    ],
)
def test_a_secret_reaches_no_line_wherever_it_stands(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", "json", [SECRET])
    log = structlog.get_logger()
    log.info("token %s is bad", secret, deep={"list": [("x", secret)]}, headers={"Authorization": secret})
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        log.exception("it failed")
        logging.getLogger("a.library").exception("it failed with %s", secret)
    captured = capsys.readouterr().err
    assert len(captured.splitlines()) == 3
    assert secret not in captured
    assert "[redacted]" in captured


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("at redis://user:pass@host:6379/0", "at redis://[redacted]@host:6379/0"),
        ("at rediss://:pass@host", "at rediss://[redacted]@host"),
        ("see https://example.com/a@b", "see https://example.com/a@b"),
        ("task-skeleton and risk-averse", "task-skeleton and risk-averse"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_ordinary_words_are_not(text: str, clean: str) -> None:
    assert Redactor().clean(text) == clean


def test_libraries_that_log_bodies_are_kept_quiet_even_when_all_is_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("debug", "json")
    for name in (
        "slack_bolt.AsyncApp",
        "slack_sdk.web.async_client",
        "aiohttp.access",
        "httpx",
        "openai._base_client",
    ):
        logging.getLogger(name).info("the body of a request")
    assert lines(capsys) == []


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning", "console")
    structlog.get_logger().info("hello")
    logging.getLogger("x").info("hello")
    structlog.get_logger().warning("look")
    captured = capsys.readouterr().err
    assert "hello" not in captured
    assert "look" in captured
