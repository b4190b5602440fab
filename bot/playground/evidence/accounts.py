"""What people asked, and what became of it: counted per thread, from the messages alone."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.playground import contract
from bot.playground.records import Message
from bot.playground.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One thread: messages that want an answer, runs that ended (`failures` among them), what is going on.

    `asked_at` is when the latest question was put, in Unix time.
    """

    questions: int = 0
    answers: int = 0
    failures: int = 0
    running: bool = False
    waiting: bool = False
    asked_at: float = 0.0

    def owed(self, at: float) -> int:
        """Answers that were still to come then: not those given up long before."""
        under_way = self.running or self.waiting or at - self.asked_at < STILL_TO_COME
        return max(0, self.questions - self.answers) if under_way else 0


Accounts: TypeAlias = Mapping[tuple[str, str], Account]
"""By channel and root."""

Sight: TypeAlias = tuple[str, str, int]
"""A message as it looked at one moment: channel, timestamp, revision."""


NOTHING = Account()

STILL_TO_COME = 60.0
"""Seconds for which a question that nothing is heard about counts as one that will be answered."""


def accounts(world: World, decided: Collection[Sight] = ()) -> Accounts:
    """Of every thread in which somebody asked the bot something.

    `decided` are cards that a person decided while they looked like that: until they look otherwise, nobody is
    waited for.
    """
    threads: dict[tuple[str, str], list[Message]] = {}
    for message in world.messages.everywhere():
        threads.setdefault((message.channel, message.root), []).append(message)
    found = {place: _account(world, place[0], messages, decided) for place, messages in threads.items()}
    return {place: account for place, account in found.items() if account.questions}


def _account(world: World, channel: str, messages: list[Message], decided: Collection[Sight]) -> Account:
    bot = world.directory.bot.id
    ours = [message for message in messages if message.user == bot]
    finals = [message for message in ours if contract.is_final(message)]
    questions = [message for message in messages if _is_question(world, channel, message, messages)]
    return Account(
        questions=len(questions),
        answers=len(finals),
        failures=sum(contract.is_failure(message) for message in finals),
        running=any(contract.is_running(message) for message in ours),
        waiting=any(contract.is_open_card(each) for each in ours if sight(each) not in decided),
        asked_at=float(questions[-1].ts) if questions else 0.0,
    )


def sight(message: Message) -> Sight:
    return message.channel, message.ts, message.revision


def _is_question(world: World, channel: str, message: Message, thread: list[Message]) -> bool:
    """A follow-up needs no mention while one person talks with the bot in its thread."""
    bot = world.directory.bot.id
    if message.bot_id is not None or message.hidden:
        return False
    earlier = [other for other in thread if other.ts < message.ts]
    people = {other.user for other in (*earlier, message) if other.bot_id is None}
    alone = len(people) == 1 and any(other.user == bot for other in earlier)
    direct = world.directory.channel(channel).kind == "im" or alone
    return contract.asks_the_bot(message.text, bot, direct=direct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a span of time owed and got: `expected` answers, of which some came, some wait for a person."""

    expected: int
    answers: int
    failures: int
    waiting: int

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.answers - self.waiting) + self.failures

    @property
    def extra(self) -> int:
        return max(0, self.answers - self.expected)


def balance(before: Accounts, after: Accounts, since: float) -> Balance:
    """What was owed at `since` (Unix time) or asked after it, against the runs that ended after it."""
    spans = [(before.get(place, NOTHING), account) for place, account in after.items()]
    return Balance(
        expected=sum(old.owed(since) + new.questions - old.questions for old, new in spans),
        answers=sum(new.answers - old.answers for old, new in spans),
        failures=sum(max(0, new.failures - old.failures) for old, new in spans),
        waiting=sum(1 for old, new in spans if new.waiting and (old.owed(since) or new != old)),
    )


def settled(owed: Balance, after: Accounts) -> bool:
    """Whether nothing is under way any more: every question is answered, or waits for a person."""
    busy = any(account.running and not account.waiting for account in after.values())
    return not busy and owed.answers + owed.waiting >= owed.expected


def most_runs_of_one_call(keys: Iterable[str]) -> int:
    """How often the call that ran most often ran: 1 unless a tool did something twice."""
    counted = Counter(key for key in keys if key)
    return max(counted.values(), default=0)
