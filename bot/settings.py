"""The environment: what it may say, what that means, and everything that is wrong with it, told at once.

Nothing else in this project reads the environment. Empty means unset.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from pydantic import SecretBytes, SecretStr

LogFormat = Literal["console", "json"]

SLACK_API_URL: Final = "https://slack.com/api/"
SEAL_KEY_BYTES: Final = 32

_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_FORMATS: Final = ("console", "json")
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})

# Bolt would read some of these itself (a client id and secret silently switch on OAuth with a file store), and
# every tool and every child process would inherit them all.
_TAKEN: Final = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_APP_TOKEN",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
    "SLACK_VERIFICATION_TOKEN",
    "HARNESS_SEAL_KEY",
    "REDIS_URL",
)


class Purpose(Enum):
    """What a process is for, which decides what it must be told."""

    SERVE = "serve"
    WEB = "web"
    WORKER = "worker"
    CHECK = "check"
    SHELL = "shell"  # commands that speak to the store alone


_TAKES_EVENTS: Final = frozenset({Purpose.SERVE, Purpose.WEB, Purpose.CHECK})


class SettingsInvalid(Exception):
    """The environment cannot be used. ``problems`` holds a sentence for each mistake, not the first alone.

    ``settings`` has defaults in the place of what was wrong: good for looking further, not for running.
    """

    def __init__(self, problems: tuple[str, ...], settings: Settings) -> None:
        self.problems = problems
        self.settings = settings
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A valid environment. Secrets show as stars.

    ``notices`` are sentences for the operator about what is set and has no effect; ``environ`` is where the
    variables of the workspace's YAML are looked up. ``port`` 0 takes any free port.
    """

    bot_token: SecretStr | None
    signing_secret: SecretStr | None
    app_token: SecretStr | None
    api_url: str
    redis_url: SecretStr | None
    seal_key: SecretBytes | None
    workspace: Path
    data: Path
    host: str
    port: int
    playground_port: int
    metrics_port: int | None
    log_level: str
    log_format: LogFormat
    admins: frozenset[str]
    notices: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def socket_mode(self) -> bool:
        """Whether events come over a WebSocket instead of HTTP."""
        return self.app_token is not None

    def secrets(self) -> tuple[str, ...]:
        """The values that must appear in no log line."""
        texts = (self.bot_token, self.signing_secret, self.app_token)
        known = [each.get_secret_value() for each in texts if each is not None]
        if self.seal_key is not None:
            known.append(base64.b64encode(self.seal_key.get_secret_value()).decode())
        if self.redis_url is not None and (password := urlsplit(self.redis_url.get_secret_value()).password):
            known.append(password)
        return tuple(known)


def read_settings(environ: Mapping[str, str], purpose: Purpose, *, terminal: bool | None = None) -> Settings:
    """The settings in ``environ`` for a process of this purpose.

    ``terminal`` says whether logs go to a terminal; by default standard error is asked.

    :raises SettingsInvalid: with a sentence for every mistake.
    """
    return _Reader(environ).read(purpose, sys.stderr.isatty() if terminal is None else terminal)


def load_settings(purpose: Purpose) -> Settings:
    """The settings of this very process, whose environment is settled on the way (:func:`prepare_process`).

    :raises SettingsInvalid: with a sentence for every mistake.
    """
    try:
        return read_settings(os.environ, purpose)
    finally:
        prepare_process(os.environ)


def child_environment(settings: Settings, changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of another program of ours: this one's, without anything that is set for the bot, and ``changes``."""
    ours = ("SLACK_", "HARNESS_", "REDIS_URL")
    kept = {name: value for name, value in settings.environ.items() if not name.startswith(ours)}
    return kept | dict(changes)


def prepare_process(environ: MutableMapping[str, str]) -> None:
    """Settle the process environment, once it was read and before anything imports LangGraph.

    Checkpoints may only hold types that are named; traces go nowhere unless the operator asked for that;
    secrets of ours are no longer there to be inherited.
    """
    environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        environ.setdefault(name, "false")
    for name in _TAKEN:
        environ.pop(name, None)


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def read(self, purpose: Purpose, terminal: bool) -> Settings:  # noqa: FBT001 - one private caller
        settings = Settings(
            bot_token=self._token("SLACK_BOT_TOKEN", unlike="xapp-", like="a bot token begins with xoxb-"),
            signing_secret=self._secret("SLACK_SIGNING_SECRET"),
            app_token=self._token(
                "SLACK_APP_TOKEN", unlike="xox", like="an app-level token begins with xapp-"
            ),
            api_url=self._api_url(),
            redis_url=self._redis_url(),
            seal_key=self._seal_key(),
            workspace=Path(self._value("HARNESS_WORKSPACE") or "workspace"),
            data=Path(self._value("HARNESS_DATA") or ".harness"),
            host=self._value("HOST") or "0.0.0.0",  # noqa: S104 - the contract's default: a container's port
            port=self._port("PORT", 3000) or 0,
            playground_port=self._port("HARNESS_PLAYGROUND_PORT", 8080) or 0,
            metrics_port=self._port("HARNESS_METRICS_PORT", None),
            log_level=self._choice("LOG_LEVEL", _LEVELS, "info"),
            log_format=cast(
                "LogFormat", self._choice("LOG_FORMAT", _FORMATS, "console" if terminal else "json")
            ),
            admins=self._admins(),
            notices=self._notices(),
            environ=dict(self._environ),
        )
        self._demand(settings, purpose)
        if self._problems:
            raise SettingsInvalid(tuple(self._problems), settings)
        return settings

    def _demand(self, settings: Settings, purpose: Purpose) -> None:
        if (
            settings.redis_url is not None
            and settings.seal_key is None
            and not self._value("HARNESS_SEAL_KEY")
        ):
            self._problem(
                "HARNESS_SEAL_KEY is not set: with REDIS_URL every process needs the same key. "
                "Make one with `head -c 32 /dev/urandom | base64`."
            )
        if purpose is Purpose.SHELL:
            return
        if not self._value("SLACK_BOT_TOKEN"):
            self._problem(
                "SLACK_BOT_TOKEN is not set: copy the Bot User OAuth Token from “Install App” on your app's page."
            )
        if purpose in _TAKES_EVENTS and not self._value("SLACK_APP_TOKEN") and not settings.signing_secret:
            self._problem(
                "SLACK_SIGNING_SECRET is not set: copy it from “Basic Information” on your app's page, "
                "or set SLACK_APP_TOKEN to use Socket Mode."
            )

    def _notices(self) -> tuple[str, ...]:
        given = [name for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET") if self._value(name)]
        if not given:
            return ()
        verb = "are" if len(given) > 1 else "is"
        notice = (
            f"{' and '.join(given)} {verb} set: installing into many teams by OAuth is not available yet, "
            "so only the team of SLACK_BOT_TOKEN is served."
        )
        return (notice,)

    def _api_url(self) -> str:
        url = self._value("SLACK_API_URL") or SLACK_API_URL
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            self._problem(f"SLACK_API_URL is no web address ({url!r}): write one such as {SLACK_API_URL}.")
        return url if url.endswith("/") else f"{url}/"

    def _redis_url(self) -> SecretStr | None:
        url = self._value("REDIS_URL")
        if url is None:
            return None
        if (scheme := urlsplit(url).scheme) not in _REDIS_SCHEMES:
            self._problem(
                f"REDIS_URL begins with {scheme or 'no scheme'!r}: write redis://, rediss:// or unix://, "
                "or unset it to use the Redis that comes along."
            )
        return SecretStr(url)

    def _seal_key(self) -> SecretBytes | None:
        text = self._value("HARNESS_SEAL_KEY")
        if text is None:
            return None
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != SEAL_KEY_BYTES:
            self._problem(
                f"HARNESS_SEAL_KEY is not {SEAL_KEY_BYTES} bytes in base64: "
                "make one with `head -c 32 /dev/urandom | base64`."
            )
            return None
        return SecretBytes(key)

    def _admins(self) -> frozenset[str]:
        named = [each.strip() for each in (self._value("HARNESS_ADMINS") or "").split(",") if each.strip()]
        wrong = [each for each in named if not _USER_ID.fullmatch(each)]
        if wrong:
            self._problem(
                f"HARNESS_ADMINS names {', '.join(wrong)}, which is no user id: "
                "write ids such as U012ABCDEF, separated by commas."
            )
        return frozenset(named)

    def _token(self, name: str, *, unlike: str, like: str) -> SecretStr | None:
        token = self._secret(name)
        if token is not None and token.get_secret_value().startswith(unlike):
            self._problem(f"{name} holds another kind of token: {like}.")
        return token

    def _secret(self, name: str) -> SecretStr | None:
        value = self._value(name)
        if value is None:
            return None
        if not _TOKEN.fullmatch(value):
            self._problem(f"{name} has spaces or letters that no such secret has: copy it again.")
        return SecretStr(value)

    def _port(self, name: str, default: int | None) -> int | None:
        text = self._value(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
            self._problem(f"{name} is {text!r}: write a port number from 0 to 65535.")
            return default
        return int(text)

    def _choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        text = (self._value(name) or default).lower()
        if text not in allowed:
            self._problem(f"{name} is {text!r}: write one of {', '.join(allowed)}.")
            return default
        return text

    def _value(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def _problem(self, sentence: str) -> None:
        self._problems.append(sentence)
