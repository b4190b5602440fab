"""What the example team can change: it restarts a service. The services are invented, so the restart is a request.

With ``ACME_RESTART_URL`` in the environment that request is really made, to whatever listens there. Without it a
restart is only noted down in this process, and says so.
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Annotated, Literal

from pydantic import Field

from acme_tools.services import Service
from harness_core import ToolCall

Environment = Annotated[Literal["staging", "prod"], Field(description="Where the service runs.")]

_TIMEOUT = 25
_CONNECTIONS = {"staging": 3, "prod": 40}

#: Restarts that nobody listened for: the key of the call, service and environment.
noted: dict[str, tuple[str, str]] = {}


def restart_service(service: Service, env: Environment, call: ToolCall) -> str:
    """Restart a service in one environment. Every open connection of it is dropped, and its pool begins empty."""
    address = os.environ.get("ACME_RESTART_URL")
    done = f"Restarted {service} in {env}."
    if not address:
        noted[call.key] = (service, env)
        return f"{done} ACME_RESTART_URL is not set, so it was only noted down by the bot."
    # The key is the same when this very call is made again, so whoever restarts can tell a repeat.
    asked = {"key": call.key, "what": "restart", "service": service, "env": env}
    request = urllib.request.Request(  # noqa: S310 - the address is that of whoever runs the bot
        address, data=json.dumps(asked).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT):  # noqa: S310 - as above
        return done


def preview_restart(service: str, env: str) -> str:
    """What people read before they approve it."""
    return f"Drops the {_CONNECTIONS[env]} open connections of {service} in {env}. It answers again after about 20 s."
