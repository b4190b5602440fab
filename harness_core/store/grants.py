"""What was granted with approvals: found, listed, revoked. Giving and using are halves of other verbs.

======================  =====  ================================================================
key                     type   content
======================  =====  ================================================================
approval:<id>:grant     hash   what was granted with this approval; goes when that goes
thread:<id>:grants      set    approvals of a thread with a grant: where a call looks for one
grants:<tenant>         zset   approvals with a grant that may still be alive, by its end
======================  =====  ================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from harness_core.approvals import Approval
from harness_core.errors import ApprovalNotFound, GrantNotFound
from harness_core.grants import Grant, approval_of, grant_id
from harness_core.models import Page
from harness_core.store.approvals import ApprovalRepository
from harness_core.store.connection import Client, store_errors
from harness_core.store.paging import PLACE, checked
from harness_core.store.scripts import Scripts, texts

_FIELDS = ("scope", "by", "source", "given_at", "expires_at", "used", "revoked_by", "revoked_at")

_SEPARATOR = "."  # in cursors; in no id


class GrantRepository:
    """Grants are given by decisions and used by the journal of calls."""

    def __init__(self, client: Client, scripts: Scripts, approvals: ApprovalRepository) -> None:
        self._client = client
        self._scripts = scripts
        self._approvals = approvals

    async def get(self, tenant: str, grant: str) -> Grant:
        """:raises GrantNotFound: there is no such grant."""
        approval_id = approval_of(grant)
        async with store_errors():
            values = await self._client.hmget(self._scripts.keys(tenant)("grant", approval_id), list(_FIELDS))
        found = await self._with_approval(tenant, approval_id, values)
        if found is None:
            raise GrantNotFound(grant)
        return found

    async def page(self, tenant: str, *, now: int, cursor: str | None = None, limit: int = 10) -> Page[Grant]:
        """Those that are alive at ``now`` (ms), the one that lasts longest first.

        The cursor is the place of the last one: when it ends, and its id.
        """
        keys = self._scripts.keys(tenant)
        at, _, last = checked(cursor, limit, PLACE).partition(_SEPARATOR)
        async with store_errors():
            rows = await self._client.zrange(
                keys("grants", tenant), at or "+inf", f"({now}", byscore=True, desc=True, withscores=True
            )
            places = [(each.decode(), int(end)) for each, end in rows]
            places = [place for place in places if not at or place[1] < int(at) or place[0] < last]
            pipe = self._client.pipeline(transaction=False)
            for approval_id, _ in places[:limit]:
                pipe.hmget(keys("grant", approval_id), list(_FIELDS))
            found = await pipe.execute()
        grants = [
            await self._with_approval(tenant, approval_id, values)
            for (approval_id, _), values in zip(places, found, strict=False)
        ]
        items = tuple(grant for grant in grants if grant is not None)
        if len(places) <= limit:
            return Page(items=items)
        end, ends_at = places[limit - 1]
        return Page(items=items, cursor=f"{ends_at}{_SEPARATOR}{end}")

    async def revoke(self, tenant: str, grant: str, *, by: str, source: str) -> Literal["revoked", "over"]:
        """Ends it, if it is alive.

        :raises GrantNotFound: there is no such grant.
        """
        reply = await self._scripts.call(
            "grant_revoke", self._scripts.keys(tenant), tenant, approval_of(grant), by, source
        )
        match texts(reply):
            case ["revoked"]:
                return "revoked"
            case ["over"]:
                return "over"
        raise GrantNotFound(grant)

    async def _with_approval(
        self, tenant: str, approval_id: str, values: Sequence[bytes | None]
    ) -> Grant | None:
        """None when there is no such grant, or it has gone in between."""
        try:
            approval = await self._approvals.get(tenant, approval_id)
        except ApprovalNotFound:
            return None
        return _grant(approval, values)


def _grant(approval: Approval, values: Sequence[bytes | None]) -> Grant | None:
    text = {name: value.decode() for name, value in zip(_FIELDS, values, strict=True) if value}
    if "scope" not in text or approval.grants is None:
        return None
    return Grant(
        grant_id=grant_id(approval.approval_id),
        approval=approval,
        terms=approval.grants,
        scope=text["scope"],
        given_by=text["by"],
        given_at=int(text["given_at"]),
        source=text["source"],
        expires_at=int(text["expires_at"]),
        used=int(text["used"]),
        revoked_by=text.get("revoked_by"),
        revoked_at=int(text["revoked_at"]) if "revoked_at" in text else None,
    )
