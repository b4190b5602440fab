"""Answers to `runs`, `show`, `agents` and `help`. The fallback `text` says all that the blocks say."""

from collections.abc import Iterable, Mapping, Sequence

from bot.view import words
from bot.view.blocks import Block, Notice, actions, button, fields, header, notice, section
from bot.view.limits import MESSAGE_TEXT
from bot.view.mrkdwn import Mrkdwn, clip, day_and_clock, escape, link, person
from bot.view.values import (
    RUN_RESUME,
    RUN_RETRY,
    RUN_SHOW,
    RUN_STEPS,
    RUN_STOP,
    RUNS_PAGE,
    RunRef,
    RunsPage,
)
from harness_core.models import Page, Run, RunFilter
from harness_core.states import TERMINAL, RunState

ROWS = 10
_NAME = 40
_LONGEST_LINK = 220
_LISTED_AGENTS = 40


def runs_list(page: Page[Run], *, narrowed: RunFilter, links: Mapping[str, str], now_ms: int) -> Notice:
    """A page of runs, at most ten rows; `links` leads from run ids to their messages, where known.

    :raises ValueTooLong: if cursor and filter are too long for a button.
    """
    runs = page.items[:ROWS]
    if not runs:
        return notice(words.NO_RUNS)
    blocks: list[Block] = [header(words.RUNS)]
    for run in runs:
        blocks += _row_blocks(run, links.get(run.run_id), now_ms)
    if page.cursor is not None:
        more = RunsPage(cursor=page.cursor, narrowed=narrowed)
        blocks.append(actions([button(words.OLDER, RUNS_PAGE, more)]))
    rows = "\n".join(_row_text(run, links.get(run.run_id), now_ms) for run in runs)
    return Notice(text=rows, blocks=tuple(blocks))


def run_detail(run: Run, *, url: str | None, now_ms: int) -> Notice:
    """One run, with what can be done about it."""
    named = [("Run", Mrkdwn(f"`{escape(run.run_id)}`")), *_facts(run, now_ms)]
    if url:
        named.append(("Message", link(url, words.OPEN)))
    blocks: tuple[Block, ...] = (
        fields(*(Mrkdwn(f"*{name}*\n{text}") for name, text in named)),
        actions(_controls(run)),
    )
    return Notice(text="\n".join(f"{name}: {text}" for name, text in named), blocks=blocks)


def agents_list(agents: Sequence[tuple[str, str]]) -> Notice:
    """`agents` are names and descriptions."""
    if not agents:
        return notice(words.NO_AGENTS)
    lines = [
        Mrkdwn(f"*{escape(name, _NAME)}* {escape(about, 60)}") for name, about in agents[:_LISTED_AGENTS]
    ]
    if len(agents) > _LISTED_AGENTS:
        lines.append(Mrkdwn(f"and {len(agents) - _LISTED_AGENTS} more"))
    return _lines(lines)


def command_help(command: str = "/harness") -> Notice:
    """The verbs of the slash command, and of a mention in a thread."""
    typed = [_verb(f"{command} {verb.usage}", verb.meaning) for verb in words.COMMAND_VERBS]
    return _lines([*typed, words.IN_A_THREAD, *_mention_verbs()])


def mention_help() -> Notice:
    """The verbs of a mention in a thread."""
    return _lines([words.IN_A_THREAD, *_mention_verbs()])


def _mention_verbs() -> list[Mrkdwn]:
    return [_verb(verb.usage, verb.meaning) for verb in words.MENTION_VERBS]


def _verb(usage: str, meaning: str) -> Mrkdwn:
    return Mrkdwn(f"`{escape(usage)}` {escape(meaning)}")


def _lines(lines: Iterable[Mrkdwn]) -> Notice:
    """One line below the other, in as few sections as hold them."""
    kept = list(lines)
    groups = [kept[index : index + 15] for index in range(0, len(kept), 15)]
    blocks = tuple(section(Mrkdwn("\n".join(group))) for group in groups)
    return Notice(text=clip("\n".join(kept), MESSAGE_TEXT), blocks=blocks)


def _cells(run: Run, now_ms: int) -> tuple[Mrkdwn, Mrkdwn, Mrkdwn, Mrkdwn, Mrkdwn]:
    return (
        escape(run.run_id, _NAME),
        Mrkdwn(run.state),
        escape(run.agent or "no agent yet", _NAME),
        person(run.user, _NAME),
        Mrkdwn(words.age(now_ms - run.created_at)),
    )


def _row_text(run: Run, url: str | None, now_ms: int) -> str:
    return " · ".join((*_cells(run, now_ms), _link(url)))


def _link(url: str | None) -> Mrkdwn:
    """The link of a row; ten of them have to fit in a message's text."""
    shown = link(url, words.OPEN) if url else words.NO_LINK
    return shown if len(shown) <= _LONGEST_LINK else words.NO_LINK


def _row_blocks(run: Run, url: str | None, now_ms: int) -> list[Block]:
    run_id, state, agent, requester, age = _cells(run, now_ms)
    ref = RunRef(run_id=run.run_id)
    buttons = [button(words.SHOW, RUN_SHOW, ref)]
    if run.state not in TERMINAL:
        buttons.append(button(words.CANCEL, RUN_STOP, ref))
    return [
        section(Mrkdwn(f"`{run_id}` · {state}\n{agent} · {requester} · {age} · {_link(url)}")),
        actions(buttons),
    ]


def _facts(run: Run, now_ms: int) -> list[tuple[str, Mrkdwn]]:
    age = words.age(now_ms - run.created_at)
    facts = [
        ("State", Mrkdwn(run.state)),
        ("Agent", escape(run.agent or "no agent yet")),
        ("Requester", person(run.user)),
        ("Created", Mrkdwn(f"{day_and_clock(run.created_at)} ({age})")),
    ]
    if run.started_at is not None:
        facts.append(("Started", day_and_clock(run.started_at)))
    if run.ended_at is not None:
        facts.append(("Ended", day_and_clock(run.ended_at)))
    if run.reason:
        facts.append(("Reason", escape(run.reason)))
    if run.takeovers:
        facts.append(("Taken over", Mrkdwn(words.count(run.takeovers, "time"))))
    return facts


def _controls(run: Run) -> list[Block]:
    ref = RunRef(run_id=run.run_id)
    buttons = [button(words.STEPS, RUN_STEPS, ref)]
    if run.state not in TERMINAL:
        buttons.insert(0, button(words.STOP, RUN_STOP, ref))
    if run.held:
        buttons.insert(0, button(words.RESUME, RUN_RESUME, ref))
    if run.state in {RunState.FAILED, RunState.CANCELLED}:
        buttons.append(button(words.RETRY, RUN_RETRY, ref))
    return buttons
