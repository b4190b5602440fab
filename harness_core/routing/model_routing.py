"""Selection where a model may choose among the hosts. The model is a function that is given, so this room asks nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from harness_core.models import Candidate, RoutingQuestion
from harness_core.routing.selection import Request, Selection, decided, known, undecided
from harness_core.workspace import Workspace

log = logging.getLogger(__name__)

TEXT_LENGTH: Final = 4_000
"""Characters of a message that a model reads to route it."""


AskModel: TypeAlias = Callable[[RoutingQuestion], Awaitable[str]]
"""Asks a model and gives its answer as it came; raises whatever goes wrong."""


async def choose_agent(workspace: Workspace, request: Request, ask_model: AskModel | None) -> Selection:
    """Like :func:`select_agent`, but after the rules a model chooses, where the workspace has one for that.

    What it answers counts only when it is the name of a host. Anything else, an error or no answer within the time
    limit is a ``problem`` of the selection that the later steps make.

    :raises UnknownAgent: as :func:`select_agent`.
    """
    settled = decided(workspace, request)
    if settled is not None:
        return known(workspace, settled)
    routing = workspace.runtime.routing.model
    problem = ""
    if routing is not None and ask_model is not None and len(workspace.hosts) > 1 and request.text.strip():
        question = RoutingQuestion(
            model=routing.use,
            prompt=routing.prompt,
            candidates=tuple(
                Candidate(agent=name, description=workspace.agents[name].description)
                for name in workspace.hosts
            ),
            text=request.text[:TEXT_LENGTH],
        )
        answer, problem = await _answer(ask_model, question, routing.timeout)
        if answer is not None:
            return Selection(agent=answer, step="model")
        log.warning("model_routing_failed: %s", problem, extra={"model": routing.use})
    return known(workspace, undecided(workspace, request, problem))


async def _answer(ask_model: AskModel, question: RoutingQuestion, timeout: float) -> tuple[str | None, str]:
    """The name of a candidate, or why there is none."""
    try:
        async with asyncio.timeout(timeout) as limit:
            said = await ask_model(question)
    except Exception as error:  # noqa: BLE001  # whatever a provider raises, somebody still has to answer
        if isinstance(error, TimeoutError) and limit.expired():
            return None, f"no answer within {timeout:g} s"
        return None, f"the model failed ({type(error).__name__})"
    name = said.strip().strip("`'\"“”.").strip()
    by_folded = {candidate.agent.casefold(): candidate.agent for candidate in question.candidates}
    exact = {candidate.agent for candidate in question.candidates}
    chosen = name if name in exact else by_folded.get(name.casefold())
    return (chosen, "") if chosen is not None else (None, "the answer is not one of the agents")
