from __future__ import annotations

import asyncio

import pytest

from bot.access import Deed, may
from bot.ingress.installation import Installation
from bot.ingress.once import Once
from bot.listeners.background import Background
from bot.listeners.links import run_link
from bot.tasks import LongTasks
from harness_core.models import Run
from harness_core.states import RunState

ADMINS = frozenset({"U0ADMIN"})
RUN = Run(
    run_id="run_1",
    tenant="T1",
    conversation="c",
    thread_id="t",
    user="U0OWNER",
    state=RunState.RUNNING,
    created_at=0,
    target={"channel": "C1", "ts": "1700000001.000200", "thread_ts": "1700000000.000100"},
)


@pytest.mark.parametrize(
    ("deed", "anybody", "owner"),
    [
        (Deed.STOP_HERE, True, True),
        (Deed.SEE_HERE, True, True),
        (Deed.STOP, False, True),
        (Deed.SEE, False, True),
        (Deed.RETRY, False, True),
    ],
)
def test_who_may_do_what_to_a_run(deed: Deed, *, anybody: bool, owner: bool) -> None:
    assert may(deed, "U0ANYBODY", RUN, ADMINS) is anybody
    assert may(deed, "U0OWNER", RUN, ADMINS) is owner
    assert may(deed, "U0ADMIN", RUN, ADMINS)


def test_only_admins_see_everybodys_runs() -> None:
    assert may(Deed.SEE_ALL, "U0ADMIN", None, ADMINS)
    assert not may(Deed.SEE_ALL, "U0OWNER", None, ADMINS)


def test_a_link_leads_to_the_message_in_its_thread() -> None:
    home = Installation(
        team="T1",
        team_name="Acme",
        bot_user="U",
        bot_id="B",
        url="https://acme.slack.com/",
        token="xoxb-test",
    )
    assert run_link(RUN, home) == (
        "https://acme.slack.com/archives/C1/p1700000001000200?thread_ts=1700000000.000100&cid=C1"
    )


async def test_once_does_a_thing_once_for_all_who_ask_at_the_same_time() -> None:
    once, done = Once(), 0

    async def deed() -> None:
        nonlocal done
        await asyncio.sleep(0)
        done += 1

    answers = await asyncio.gather(*(once.do("key", deed) for _ in range(10)))
    assert (done, answers.count(True)) == (1, 1)
    assert not await once.do("key", deed)
    assert await once.do("another", deed)
    assert done == 2


async def test_once_tries_again_after_a_failure_that_everybody_heard_of() -> None:
    once, tries = Once(), 0

    async def deed() -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        if tries == 1:
            raise OSError

    answers = await asyncio.gather(*(once.do("key", deed) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, OSError) for answer in answers)
    assert await once.do("key", deed)
    assert tries == 2


async def test_once_goes_on_although_who_asked_first_gave_up() -> None:
    once, gate, done = Once(), asyncio.Event(), 0

    async def deed() -> None:
        nonlocal done
        await gate.wait()
        done += 1

    first = asyncio.create_task(once.do("key", deed))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    second = asyncio.create_task(once.do("key", deed))
    gate.set()
    assert not await asyncio.wait_for(second, 1)
    assert done == 1


async def test_once_forgets_the_oldest_key() -> None:
    once = Once(remembered=2)

    async def deed() -> None:
        return

    assert [await once.do(key, deed) for key in "abca"] == [True, True, True, True]
    assert not await once.do("c", deed)


async def test_background_work_ends_or_is_cancelled_and_its_errors_stay_inside() -> None:
    background, ended, stopped = Background(), asyncio.Event(), asyncio.Event()

    async def short() -> None:
        await asyncio.sleep(0)
        ended.set()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def wrong() -> None:
        raise ValueError

    for work in (short, endless, wrong):
        background.start(work(), work.__name__)
    await background.close(limit=0.05)
    assert ended.is_set()
    assert stopped.is_set()


async def test_the_first_long_task_that_ends_is_told_with_its_error() -> None:
    tasks = LongTasks()

    async def endless() -> None:
        await asyncio.Event().wait()

    async def wrong() -> None:
        raise LookupError("gone")

    tasks.start(endless(), "endless")
    tasks.start(wrong(), "wrong")
    with pytest.raises(LookupError, match="gone"):
        await asyncio.wait_for(tasks.first_end(), 1)
    await tasks.close()


async def test_a_long_task_that_ends_without_an_error_is_one_too() -> None:
    tasks = LongTasks()

    async def short() -> None:
        return

    tasks.start(short(), "short")
    with pytest.raises(RuntimeError, match="ended by itself: short"):
        await asyncio.wait_for(tasks.first_end(), 1)
    await tasks.close()
