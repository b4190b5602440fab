"""Policies about groups in a program: the harness knows of groups what its caller tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sealing import SEAL

from harness_core import Harness, RunState
from harness_core.errors import PolicyBlocked
from harness_core.models import Run

if TYPE_CHECKING:
    from engine.conftest import Office

DENIED = "---\nkind: Policy\nname: guests-out\nuse: deny\nusergroups: [S0GUESTS]\n"
ASKING = """
---
kind: Policy
name: careful
usergroups: [S0GUESTS]
tools: {look_up: {approval: always, approvers: {users: [ana]}}}
"""


def declare(office: Office, policy: str) -> None:
    with (office.folder / "workspace.yaml").open("a") as yaml:
        yaml.write(policy)


async def a_guest(_run: Run, groups: frozenset[str]) -> frozenset[str]:
    return groups


async def no_guest(_run: Run, _groups: frozenset[str]) -> frozenset[str]:
    return frozenset()


async def test_where_groups_cannot_be_looked_up_what_they_would_restrict_is_refused(office: Office) -> None:
    declare(office, DENIED)
    async with Harness(office.store, office.holder, seal=SEAL) as harness:
        with pytest.raises(PolicyBlocked, match="groups that cannot be looked up"):
            await harness.run("say 2 words")


async def test_a_call_that_a_group_would_have_to_ask_about_does_not_run_for_who_may_be_in_it(
    office: Office,
) -> None:
    declare(office, ASKING)
    async with Harness(office.store, office.holder, seal=SEAL) as harness:
        ran = await harness.run('call look_up {"name": "ada"}')

    assert "groups that cannot be looked up" in ran.output
    assert office.executions() == []


async def test_a_program_says_who_is_in_which_group_and_who_may_run_anything(office: Office) -> None:
    declare(office, DENIED)

    async def nobody(_run: Run) -> str | None:
        return "The office is closed."

    async with Harness(office.store, office.holder, seal=SEAL, groups_of=a_guest) as harness:
        with pytest.raises(PolicyBlocked, match="guests-out"):
            await harness.run("say 2 words")
    async with Harness(office.store, office.holder, seal=SEAL, groups_of=no_guest) as harness:
        assert (await harness.run("say 2 words")).state is RunState.COMPLETED
    async with Harness(
        office.store, office.holder, seal=SEAL, groups_of=no_guest, admission=nobody
    ) as harness:
        with pytest.raises(PolicyBlocked, match="The office is closed"):
            await harness.run("say 2 words")
