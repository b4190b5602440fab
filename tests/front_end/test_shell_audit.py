from __future__ import annotations

import json

import pytest
from front_end.questions import ask
from front_end.shell import Shell, rows
from front_end.slack_bodies import CAST

from bot.commands import audit
from harness_core import Store


async def test_the_audit_export_is_the_chain_as_it_is_hashed(store: Store, shell: Shell) -> None:
    asked = (await ask(store))[0]
    await shell("approvals", "approve", asked.approval_id)
    exported = await shell("audit", "export", "--verify")
    assert exported.status == 0
    assert "holds up to entry 2" in exported.err
    entries = rows(exported)
    assert [entry["seq"] for entry in entries] == [1, 2]
    assert {"seq", "at", "data", "previous", "hash"} <= set(entries[0])
    assert entries[1]["previous"] == entries[0]["hash"]
    decided = json.loads(entries[1]["data"])
    assert (decided["what"], decided["decision"], decided["source"]) == ("decided", "approve", "shell")
    assert [entry["seq"] for entry in rows(await shell("audit", "export", "--since", "2"))] == [2]


@pytest.mark.parametrize("part", ["digest", "number"])
async def test_a_changed_byte_in_the_chain_is_found_and_named(
    store: Store, shell: Shell, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PAGE", 2)
    for _ in range(5):
        await ask(store)
    key = store.audit._scripts.keys(CAST.team)("audit", CAST.team)
    row: bytes = await store.client.lindex(key, 2)
    changed = (
        row.replace(b'"what":"requested"', b'"what":"requestee"')
        if part == "digest"
        else row.replace(b"|3|", b"|x|", 1)
    )
    assert changed != row
    await store.client.lset(key, 2, changed.decode())
    found = await shell("audit", "export", "--verify")
    assert found.status == 1
    assert "Entry 3 of" in found.err
    assert len(rows(found)) == 5
    assert (await shell("audit", "export")).status == 0


async def test_a_lost_end_of_the_chain_is_missed(store: Store, shell: Shell) -> None:
    for _ in range(3):
        await ask(store)
    await store.client.rpop(store.audit._scripts.keys(CAST.team)("audit", CAST.team), 2)
    found = await shell("audit", "export", "--verify")
    assert found.status == 1
    assert "Entry 2 of" in found.err


async def test_a_chain_that_retention_took_away_whole_is_not_missed(store: Store, shell: Shell) -> None:
    await ask(store)
    await store.upkeep.trim_audit(CAST.team, 10**15, limit=10)
    found = await shell("audit", "export", "--verify")
    assert (found.status, found.out) == (0, "")
    assert "holds up to entry 1" in found.err
