"""What the example team can look up about its services. The facts are in ``data/services.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

Service = Annotated[Literal["checkout", "payments", "search"], Field(description="The service's name.")]


@cache
def _facts() -> dict[str, Any]:
    text = (Path(__file__).parent / "data" / "services.yaml").read_text(encoding="utf-8")
    facts: dict[str, Any] = yaml.safe_load(text)
    return facts


def service_status(service: Service) -> dict[str, Any]:
    """How a service is doing now: state, latency, errors, the version that runs, and what it depends on.

    Start here when somebody says that a service is slow, failing or down.
    """
    return {"service": service, **_facts()[service]["status"]}


def service_logs(
    service: Service,
    lines: Annotated[int, Field(ge=1, le=100, description="How many lines, newest last.")] = 20,
) -> str:
    """The last lines of a service's log, newest last. Use it to find what a slow or failing service is doing."""
    log: list[str] = _facts()[service]["logs"]
    return "\n".join(log[-lines:])


def recent_deploys(service: Service) -> list[dict[str, Any]]:
    """The latest deploys of a service, newest first: version, when, who, and what changed.

    Compare their times with the time at which the trouble began.
    """
    deploys: list[dict[str, Any]] = _facts()[service]["deploys"]
    return deploys
