"""The scripts against the model, whatever comes in whatever order: messages, clicks, crashes, edits, clocks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sealing import SEAL
from store.conversation_machine import ConversationMachine

from harness_core.store import Store

FEW = settings(
    phases=(Phase.generate,),  # to make a story shorter that went wrong takes minutes: the long test does it
    max_examples=100,
    stateful_step_count=35,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MANY = settings(
    FEW,
    phases=(Phase.generate, Phase.shrink),
    max_examples=1000,
    stateful_step_count=60,
    derandomize=False,
    print_blob=True,
)

Machine = Callable[[], ConversationMachine]


@pytest.fixture
def machine(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Machines on one store, one after the other. Ids count up: a story told again must go the same way."""
    numbers = itertools.count()
    monkeypatch.setattr("harness_core.store.runs.new_run_id", lambda: f"run_{next(numbers):09}")
    with asyncio.Runner() as runner:
        store = runner.run(Store.open(redis_url, seal=SEAL))
        yield lambda: ConversationMachine(runner.get_loop(), store)
        runner.run(store.close())


def test_a_hundred_stories_agree_with_the_model_and_leave_nothing_behind(machine: Machine) -> None:
    run_state_machine_as_test(machine, settings=FEW)  # type: ignore[arg-type]  # it calls what it is given, class or not


@pytest.mark.soak
def test_a_thousand_stories_agree_with_the_model_and_leave_nothing_behind(machine: Machine) -> None:
    run_state_machine_as_test(machine, settings=MANY)  # type: ignore[arg-type]  # as above
