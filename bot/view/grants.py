"""Grants as people see them: the line about what one covers, the list of them, what is told about a click."""

from collections.abc import Mapping
from typing import Final

from bot.view import grant_words as words
from bot.view.approval_words import any_of
from bot.view.arguments import MASK, name_text, value_text
from bot.view.blocks import Block, Notice, actions, button, confirmation, header, notice, section
from bot.view.limits import MESSAGE_TEXT
from bot.view.mrkdwn import Mrkdwn, clip, clock, day_and_clock, escape, link, person
from bot.view.values import GRANT_REVOKE, GRANTS_PAGE, GrantRef, GrantsPage
from bot.view.visible import one_line
from bot.view.words import NO_LINK, NONE_HERE, OLDER, OPEN
from harness_core.approvals import Approval, GrantTerms
from harness_core.grants import Grant, NotLive, Revoked, RevokeOutcome
from harness_core.models import Page

ROWS: Final = 10
_NAME: Final = 40
_TITLE: Final = 60
_VALUE: Final = 60
_LISTED: Final = 8
_PEOPLE: Final = 5
_LONGEST_LINK: Final = 160


def constraint(approval: Approval, terms: GrantTerms) -> Mrkdwn:
    """The arguments that a call must share with `approval`, in words; secret values masked."""
    asked = approval.asked
    held = [
        escape(
            f"{name_text(name)}: {MASK if name in asked.secret and value is not None else value_text(value)}",
            _VALUE,
        )
        for name, value in sorted(asked.arguments.items())
        if terms.same is None or name in terms.same
    ]
    more = [Mrkdwn(f"{len(held) - _LISTED} more")] if len(held) > _LISTED else []
    return words.constraint([*held[:_LISTED], *more], free=terms.same is not None)


def scope(approval: Approval, terms: GrantTerms) -> Mrkdwn:
    """What else a call must share. Under the arguments, which say themselves what all of them are."""
    held = words.EXACTLY if terms.same is None else constraint(approval, terms)
    agent = escape(approval.agent or "the agent", _NAME)
    return words.like_it(escape(approval.tool, _NAME), agent, _requesters(approval), held)


def grants_list(page: Page[Grant], links: Mapping[str, str], hidden: frozenset[str] = frozenset()) -> Notice:
    """A page of grants, at most ten rows. `links` leads from their ids to where they were given, where known.

    Of those in `hidden` it is only said that they are there.

    :raises ValueTooLong: if the cursor is too long for a button.
    """
    found = page.items[:ROWS]
    if not found and page.cursor is None:
        return notice(words.NO_GRANTS)
    blocks: list[Block] = [header(words.GRANTS)] if found else [section(NONE_HERE)]
    rows = []
    for grant in found:
        cells = _cells(grant, links.get(grant.grant_id), hidden=grant.grant_id in hidden)
        rows.append(" · ".join(cells))
        blocks += _row_blocks(grant, cells)
    if page.cursor is not None:
        blocks.append(actions([button(OLDER, GRANTS_PAGE, GrantsPage(cursor=page.cursor))]))
    return Notice(text=clip("\n".join(rows) or NONE_HERE, MESSAGE_TEXT), blocks=tuple(blocks))


def told_of(outcome: RevokeOutcome) -> Notice:
    """What became of a revocation."""
    match outcome:
        case Revoked(grant=grant):
            return notice(words.revoked(escape(grant.grant_id, _NAME)))
        case NotLive(state="revoked", grant=Grant(revoked_by=str(by), revoked_at=int(at))):
            return notice(words.revoked_before(person(by), clock(at)))
        case NotLive(state="used up", grant=grant):
            return notice(words.used_up(grant.terms.times))
        case NotLive(grant=grant):
            return notice(words.expired(clock(grant.expires_at)))


def unknown_grant() -> Notice:
    return notice(words.UNKNOWN_GRANT)


def not_grantable() -> Notice:
    return notice(words.NOT_GRANTABLE)


def _row_blocks(grant: Grant, cells: tuple[Mrkdwn, ...]) -> list[Block]:
    grant_id, tool, *rest = cells
    sure = confirmation(words.REVOKE_QUESTION, words.REVOKE_EFFECT, words.REVOKE, "Go back")
    revoke = button(words.REVOKE, GRANT_REVOKE, GrantRef(grant_id=grant.grant_id), confirm=sure)
    return [section(Mrkdwn(f"{tool}\n`{grant_id}`\n{' · '.join(rest)}")), actions([revoke])]


def _cells(grant: Grant, url: str | None, *, hidden: bool) -> tuple[Mrkdwn, ...]:
    approval = grant.approval
    shown = link(url, OPEN) if url else NO_LINK
    tool = escape(one_line(approval.tool), _TITLE)
    covered = () if hidden else (constraint(approval, grant.terms),)
    return (
        escape(grant.grant_id, _NAME),
        tool,
        *covered,
        words.given_by(person(grant.given_by, _NAME)),
        words.given_for(_requesters(approval)),
        words.uses_left(grant.left, grant.terms.times),
        words.until(day_and_clock(grant.expires_at)),
        shown if len(shown) <= _LONGEST_LINK else NO_LINK,
    )


def _requesters(approval: Approval) -> Mrkdwn:
    people = [person(each, _NAME) for each in dict.fromkeys(approval.requesters)]
    more = [Mrkdwn(f"{len(people) - _PEOPLE} more")] if len(people) > _PEOPLE else []
    return any_of([*people[:_PEOPLE], *more])
