"""What admins do to the bot as a whole: pause it, let it go on, have the workspace read again, look at the sums."""

from __future__ import annotations

import asyncio
from typing import Literal

from bot.access import Deed, may
from bot.listeners.services import Services
from bot.view import notices, operations
from bot.view.blocks import Notice
from harness_core import Reloaded, ReloadRefused

Operation = Literal["drain", "resume", "reload", "stats", "audit"]


async def operate(services: Services, user: str, verb: Operation) -> Notice:
    """Does it, if ``user`` is an admin."""
    if not may(Deed.OPERATE, user, None, services.admins):
        return notices.not_allowed(f"use `{verb}`", "An admin")
    control = services.control
    match verb:
        case "drain":
            return operations.paused(news=await control.drain(user))
        case "resume":
            return operations.going_on(news=await control.resume(user))
        case "reload":
            return await _reload(services)
        case "stats":
            return await _stats(services)
        case "audit":
            return operations.audit(await services.approvals.newest_audit(services.installation.team))


async def _reload(services: Services) -> Notice:
    """This process reads first: what it cannot use, no other one is asked to read."""
    match await asyncio.to_thread(services.holder.reload):
        case ReloadRefused(findings=findings):
            return operations.not_reloaded([str(each) for each in findings])
        case Reloaded(changed=changed, warnings=warnings):
            await services.control.request_reload()
            return operations.reloaded([str(each) for each in warnings], changed=changed)


async def _stats(services: Services) -> Notice:
    control, team = services.control, services.installation.team
    counts, waiting, workers, switches = await asyncio.gather(
        control.count_runs(team),
        services.approvals.count_open(team),
        control.alive_workers(),
        control.switches(),
    )
    return operations.stats(counts, waiting=waiting, workers=len(workers), switches=switches)
