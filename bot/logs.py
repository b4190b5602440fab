"""Log lines on standard error: one per event, as text or JSON, without secrets and without what people wrote."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.settings import LogFormat

_HIDDEN: Final = "[redacted]"
_SHORTEST_SECRET: Final = 6

_PATTERNS: Final = (
    (re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+"), _HIDDEN),
    (re.compile(r"\bxapp-[A-Za-z0-9-]+"), _HIDDEN),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), _HIDDEN),
    (re.compile(r"(?i)\b(bearer)\s+[^\s\"',]+"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(?i)\b(rediss?|unix|https?)://[^\s/@]*@"), rf"\1://{_HIDDEN}@"),
)

# These log the bodies of requests, below the level that is given here.
_TALKATIVE: Final = {
    "slack_bolt": logging.WARNING,
    "slack_sdk": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "openai": logging.WARNING,
    "asyncio": logging.WARNING,
}


class Redactor:
    """Replaces what looks like a secret, and every value that is known to be one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def clean(self, text: str) -> str:
        """``text`` without secrets."""
        if self._known is not None:
            text = self._known.sub(_HIDDEN, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """As a structlog processor: every text in the event, however deep."""
        for key, value in event.items():
            event[key] = self._deep(value)
        return event

    def _deep(self, value: Any) -> Any:
        match value:
            case str():
                return self.clean(value)
            case dict():
                return {self._deep(key): self._deep(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._deep(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return self.clean(repr(value))


def configure_logs(level: str, form: LogFormat, secrets: Iterable[str] = ()) -> None:
    """Route structlog and the standard library's logging to standard error, for this process, from here on."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=("run_id", "team_id")),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        Redactor(secrets),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(form)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, floor in _TALKATIVE.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rendering(form: LogFormat) -> list[Processor]:
    match form:
        case "json":
            return [_in_order, structlog.processors.JSONRenderer(ensure_ascii=False, default=repr)]
        case "console":
            colors = sys.stderr.isatty()
            return [structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="ts")]


def _in_order(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> EventDict:
    """What every line has comes first, for those who read JSON with their eyes."""
    first = {key: event[key] for key in ("ts", "level", "event") if key in event}
    return {**first, **{key: value for key, value in event.items() if key not in first}}
