"""What a person reads when something failed: one voice, what to do, the run's id, no secret."""

from __future__ import annotations

import time

import pytest

from harness_core.errors import (
    ModelFailed,
    OperationTimeout,
    PolicyBlocked,
    SealBroken,
    StoreUnavailable,
    UnknownAgent,
    WorkspaceInvalid,
)
from harness_core.redaction import redact
from harness_core.runtime import render_runtime_failure, render_tool_failure
from harness_core.runtime.failures import ModelGaveUp


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            ModelGaveUp("fast", tries=3, status=500),
            "model_failed",
            "The model did not answer after 3 tries. Press Retry, or ask an admin.",
        ),
        (ModelFailed("secret"), "model_failed", "The model did not answer. Press Retry, or ask an admin."),
        (
            ModelGaveUp("fast", tries=3, status=429),
            "model_busy",
            "The model had no capacity for us in 3 tries. Press Retry, or ask an admin.",
        ),
        (
            OperationTimeout("run", 900),
            "timeout_run",
            "The run took longer than 15 min. Press Retry, or ask an admin.",
        ),
        (
            OperationTimeout("stream_idle", 45),
            "timeout_stream_idle",
            "The next word took longer than 45 s. Press Retry, or ask an admin.",
        ),
        (PolicyBlocked(["Only for admins"]), "policy", "Only for admins."),
        (
            UnknownAgent("ops", []),
            "unknown_agent",
            "There is no agent “ops” any more. Start again with another one.",
        ),
        (
            WorkspaceInvalid(["secret"]),
            "configuration",
            "The configuration cannot be used as it is. Ask an admin to run the check.",
        ),
        (
            SealBroken("secret"),
            "history_unreadable",
            "The history of this conversation cannot be read. Ask an admin.",
        ),
        (
            StoreUnavailable("secret"),
            "store",
            "The conversation could not be read or saved. Press Retry, or ask an admin.",
        ),
        (
            ValueError("secret"),
            "internal",
            "Something went wrong inside the bot. Press Retry, or ask an admin.",
        ),
    ],
)
def test_each_failure_is_a_code_and_a_sentence_with_the_run_id(
    error: Exception, code: str, sentence: str
) -> None:
    assert render_runtime_failure(error, run_id="run_7") == (code, f"{sentence} Run run_7.")


def test_a_tools_failure_names_the_tool_and_its_first_line() -> None:
    assert (
        render_tool_failure("status", "TimeoutError: no answer.\nTraceback …", run_id="run_7")
        == "“status” failed: TimeoutError: no answer. Press Retry, or ask an admin. Run run_7."
    )


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("redis://user:pw@host/0", "redis://•••@host/0"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: •••"),
        ("got Bearer abcdef0123456789 back", "got Bearer ••• back"),
        ("key sk-proj-abcdefghijklmnop", "key •••"),
        ("api_key=abcd1234, next", "api_key=•••, next"),
        ('{"password": "hunter22"}', '{"password": "•••"}'),
        ("GET /?access_token=abcd1234&x=1", "GET /?access_token=•••&x=1"),
        ("it used known-value twice: known-value", "it used ••• twice: •••"),
        ("3 tokens were used, the password is wrong", "3 tokens were used, the password is wrong"),
    ],
)
def test_credentials_are_taken_out_and_prose_is_left_alone(text: str, cleaned: str) -> None:
    assert redact(text, ["known-value", "abc"]) == cleaned


@pytest.mark.parametrize(
    "text", ["eyJ-" * 24_000, "eyJaaaaaaaa." + "eyJ-" * 24_000, "://a:" * 20_000, "token " * 20_000]
)
def test_a_text_that_only_looks_like_credentials_holds_nobody_up(text: str) -> None:
    began = time.perf_counter()
    redact(text)
    assert time.perf_counter() - began < 1.0


def test_a_text_with_half_a_character_is_cleaned_like_any_other() -> None:
    assert redact("\ud800 token=abcd1234") == "\ud800 token=•••"
