"""What a call would do, in the tool's own words: ``preview`` of the workspace's tool.

Needs no agent framework, so the process that takes a changed argument in can ask again.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
from collections.abc import Mapping
from typing import Any

from harness_core.daemon_thread import in_daemon_thread
from harness_core.redaction import redact
from harness_core.workspace import ToolSpec, python_reference

log = logging.getLogger(__name__)

WITHIN = 3.0
"""Seconds a preview may take. A question without one is better than one that comes late."""

_LONGEST = 2000


async def preview(tool: ToolSpec, arguments: Mapping[str, Any], *, within: float = WITHIN) -> str | None:
    """What the tool's preview says about a call, without secrets; None where it has none, fails or takes too long."""
    if tool.preview is None:
        return None
    try:
        async with asyncio.timeout(within):
            said = await _ask(tool.preview, arguments)
    except Exception as error:  # noqa: BLE001  # a preview is somebody else's code, and the call can be decided without
        log.warning("the preview of tool %s failed: %s", tool.name, type(error).__name__)
        return None
    secrets = [str(arguments[name]) for name in tool.secret_arguments if name in arguments]
    text = redact(" ".join(str(said).split()), secrets) if said is not None else ""
    return text[:_LONGEST] or None


async def _ask(reference: str, arguments: Mapping[str, Any]) -> Any:
    found = python_reference(reference)
    if found is None:
        return None
    module = await in_daemon_thread(lambda: importlib.import_module(found.module), name="preview")
    function = getattr(module, found.attribute)
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    return await in_daemon_thread(lambda: function(**arguments), name="preview")
