from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_core.errors import SchemaTooNew, SealBroken, StoreMisconfigured, StoreUnavailable
from harness_core.models import Submission
from harness_core.states import LIVE, MOVES, TERMINAL, RunState, allowed
from harness_core.store import Seal, Store
from harness_core.store.keys import META, TEMPLATES, Keys, lua_builders

names = st.text(max_size=20)


@given(st.tuples(names, names), st.tuples(names, names))
def test_two_different_places_never_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = Keys(0)
    assert (keys("seen", *one) == keys("seen", *other)) == (one == other)


@given(names)
def test_no_id_can_leave_its_place_in_a_key(name: str) -> None:
    key = Keys(3)("inbox", "T", name)

    assert key.startswith("harness:{p3}:inbox:T:")
    assert not set(key.removeprefix("harness:{p3}:inbox:T:")) & set(":{}*? \n")


async def test_python_and_lua_spell_every_key_alike(store: Store) -> None:
    awkward = ["a:b", "{p1}", "ü*\n", "100%", "plain-._~"]
    for name, template in TEMPLATES.items():
        parts = awkward[: template.count("%s")]
        script = f"""
            local root = KEYS[1]
            local function quote(s)
              return (tostring(s):gsub('[^%w_.~-]', function(c) return string.format('%%%02X', string.byte(c)) end))
            end
            {lua_builders()}
            return key.{name}(unpack(ARGV))"""
        spelt = await store.client.eval(script, 1, Keys(0).root, *parts)
        assert spelt.decode() == Keys(0)(name, *parts)


def test_every_live_state_has_a_way_out_and_no_terminal_one_has() -> None:
    for state in RunState:
        leaves = {move.target for move in MOVES if move.source is state}
        assert bool(leaves) == (state in LIVE), state
    reachable = {RunState.QUEUED} | {move.target for move in MOVES}
    assert reachable == set(RunState)
    assert not any(allowed(done, state) for done in TERMINAL for state in RunState)


@given(st.binary(max_size=200), st.lists(names, min_size=1, max_size=4))
def test_sealed_data_opens_at_its_place_and_shows_nothing_of_itself(data: bytes, place: list[str]) -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.seal(data, *place)

    assert seal.open(sealed, *place) == data
    assert len(data) < 4 or data not in sealed


@pytest.mark.parametrize("position", [0, 2, 9, 20, -1])
def test_one_changed_bit_is_noticed(position: int) -> None:
    seal = Seal(b"k" * 32)
    sealed = bytearray(seal.seal(b"restart checkout", "T1", "run"))
    sealed[position] ^= 1

    with pytest.raises(SealBroken):
        seal.open(bytes(sealed), "T1", "run")


def test_data_that_was_moved_elsewhere_or_never_sealed_is_refused() -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.seal(b"x", "T1", "run", "input")

    for place in (("T2", "run", "input"), ("T1", "runi", "nput"), ("T1", "run", "input", "")):
        with pytest.raises(SealBroken, match="changed or moved"):
            seal.open(sealed, *place)
    with pytest.raises(SealBroken, match="not sealed"):
        seal.open(b'{"text": "plain"}', "T1", "run", "input")


def test_an_older_key_still_opens_and_a_foreign_one_does_not() -> None:
    sealed = Seal(b"a" * 32).seal(b"x", "p")

    assert Seal(b"b" * 32, older=[b"a" * 32]).open(sealed, "p") == b"x"
    with pytest.raises(SealBroken, match="key that is not configured"):
        Seal(b"b" * 32).open(sealed, "p")


async def test_nothing_that_people_wrote_stands_in_redis_in_the_clear(store: Store) -> None:
    await store.runs.accept(
        Submission(
            tenant="T1",
            conversation="C",
            user="U1",
            text="my password is hunter2",
            dedupe=("e",),
            target={},
        )
    )

    for key in await store.client.keys("*"):
        assert b"hunter2" not in await store.client.dump(key), key


async def test_a_store_of_a_newer_release_is_left_alone(redis_url: str, store: Store) -> None:
    await store.client.hset(META, "schema", "99")

    with pytest.raises(SchemaTooNew, match="schema 99"):
        await Store.open(redis_url, seal=Seal(b"k" * 32))


async def test_a_server_that_evicts_data_is_refused(redis_url: str, store: Store) -> None:
    await store.client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreMisconfigured, match="noeviction"):
            await Store.open(redis_url, seal=Seal(b"k" * 32))
    finally:
        await store.client.config_set("maxmemory-policy", "noeviction")


async def test_no_server_is_one_sentence() -> None:
    with pytest.raises(StoreUnavailable, match="Redis did not do what was asked"):
        await Store.open("redis://127.0.0.1:1", seal=Seal(b"k" * 32))
