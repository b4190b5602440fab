"""The journal of tool calls: what was let through, what has started, how it ended.

======================  =====  ================================================================
key                     type   content
======================  =====  ================================================================
run:<id>:calls          list   the keys of the run's calls, in the order they were first made
run:<id>:call:<key>     hash   verdict, state, digest of the arguments; the result sealed
======================  =====  ================================================================
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from harness_core.approvals import Approval, Call, Effect, Outcome, QuestionKind, Touched
from harness_core.errors import StaleFence, StopRequested, StoreError
from harness_core.events import ApprovalRequested, encode_payload
from harness_core.grants import approval_of
from harness_core.models import Fence
from harness_core.store.approval_record import CONTENT, FIELDS, decode_approval, seal_content
from harness_core.store.connection import Client, store_errors
from harness_core.store.scripts import Argument, Scripts, texts
from harness_core.store.seal import Seal

_CALL = ("tool", "effect", "verdict", "state", "asked", "note", "approval", "grant", "doubt", "doubts", "attempts", "ok",
         "result")  # fmt: skip

_TRACES = ("state", "attempts", "effect", "tool")

Unstarted = Literal["done", "unapproved", "changed", "unsure", "ungranted"]
"""Why a call was not started: it has ended, nobody approved it, not these arguments, it may have happened, or the grant
that covered it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask about a call. Durations are seconds; ``about`` carries everything but the times.

    It is not asked where a grant of the thread covers ``scope``; empty: none could.
    """

    about: Approval
    requested: ApprovalRequested
    expire_after: float
    remind_after: tuple[float, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A call as it stands, with the questions about it. ``call`` None: it was never seen before.

    ``granted`` is the approval of another call whose grant covers this one.
    """

    call: Call | None
    approval: Approval | None = None
    granted: Approval | None = None
    doubt: Approval | None = None
    pause: int = 1
    requesters: tuple[str, ...] = ()


class CallRepository:
    """Reads and writes the journal; every write shows the fence of the run."""

    def __init__(self, client: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._seal = seal

    async def standing(self, fence: Fence, call_key: str) -> Standing:
        """What is known about a call."""
        keys, run_id = self._scripts.keys(fence.tenant), fence.run_id
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.hmget(keys("call", run_id, call_key), _CALL)
            pipe.hmget(keys("run", run_id), "pause", "requesters")
            values, (pause, asked) = await pipe.execute()
        requesters = tuple(json.loads(asked or b"[]"))
        raw = {name: value for name, value in zip(_CALL, values, strict=True) if value is not None}
        if "state" not in raw:
            return Standing(call=None, pause=int(pause or 1), requesters=requesters)
        call = self._decode(fence, call_key, raw)
        return Standing(
            call=call,
            approval=await self._approval(fence, call.approval),
            granted=await self._approval(fence, approval_of(call.grant) if call.grant else None),
            doubt=await self._approval(fence, call.doubt),
            pause=int(pause or 1),
            requesters=requesters,
        )

    async def open(self, fence: Fence, call: Call, question: Question | None = None) -> None:
        """Records a call with its verdict, if it was not yet, and asks ``question`` about it, if it was not yet.

        A grant that covers a call is used once for it, however often this is repeated.

        :raises StaleFence: the lease is gone; nothing was recorded.
        """
        reply = await self._scripts.call(
            "call_open", self._scripts.keys(fence.tenant), *_place(fence), call.key, call.tool, call.effect.value,
            call.verdict, call.asked, call.note, *self._question(fence, question),
        )  # fmt: skip
        _refuse(fence, reply[0])

    async def start(self, fence: Fence, call_key: str, *, asked: str, running: str) -> int | Unstarted:
        """The last word before the tool runs: the attempt's number, or why it must not run.

        ``asked`` is the digest of the arguments the model gave, ``running`` of what is about to be passed.

        :raises StaleFence: the lease is gone.
        :raises StopRequested: a person asked the run to stop.
        """
        keys = self._scripts.keys(fence.tenant)
        reply = texts(await self._scripts.call("call_start", keys, *_place(fence), call_key, asked, running))
        match reply:
            case ["started", attempt]:
                return int(attempt)
            case ["done" | "unapproved" | "changed" | "unsure" | "ungranted" as why]:
                return why
            case ["cancelled", by]:
                raise StopRequested(by)
            case ["fenced"]:
                raise _stale(fence)
            case other:
                raise StoreError(f"call_start answered {other}")

    async def done(self, fence: Fence, call_key: str, *, ok: bool, result: bytes, outcome: Outcome) -> None:
        """Records how the call ended, unless that is recorded already. ``result`` is sealed here.

        :raises StaleFence: the lease is gone.
        """
        sealed = self._seal.seal(result, *_result_place(fence, call_key))
        keys = self._scripts.keys(fence.tenant)
        reply = await self._scripts.call(
            "call_done", keys, *_place(fence), call_key, int(ok), sealed, outcome
        )
        _refuse(fence, reply[0])

    async def touched(self, tenant: str, run_id: str) -> Touched:
        """What the run did to the world so far."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            calls = await self._client.lrange(keys("calls", run_id), 0, -1)
            pipe = self._client.pipeline(transaction=False)
            for call in calls:
                pipe.hmget(keys("call", run_id, call.decode()), *_TRACES)
            rows = await pipe.execute()
        begun = [row for row in rows if int(row[1] or 0) > 0]
        ran = sum(state == b"done" for state, *_ in begun)
        once = [tool.decode() for _, _, effect, tool in begun if effect == Effect.ONCE.value.encode()]
        return Touched(ran=ran, unsure=len(begun) - ran, once=tuple(dict.fromkeys(once)))

    async def _approval(self, fence: Fence, approval_id: str | None) -> Approval | None:
        if approval_id is None:
            return None
        keys = self._scripts.keys(fence.tenant)
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.hmget(keys("approval", approval_id), FIELDS)
            pipe.hgetall(keys("votes", approval_id))
            values, votes = await pipe.execute()
        return decode_approval(approval_id, values, votes, self._seal)

    def _decode(self, fence: Fence, call_key: str, raw: dict[str, bytes]) -> Call:
        text = {name: value.decode() for name, value in raw.items() if name != "result"}
        sealed = raw.get("result")
        return Call(
            key=call_key,
            run_id=fence.run_id,
            tool=text["tool"],
            effect=Effect(text["effect"]),
            verdict=_verdict(text["verdict"]),
            state=_state(text["state"]),
            asked=text["asked"],
            note=text.get("note", ""),
            approval=text.get("approval"),
            grant=text.get("grant"),
            doubt=text.get("doubt"),
            doubts=int(text.get("doubts", 0)),
            attempts=int(text.get("attempts", 0)),
            ok=text["ok"] == "1" if "ok" in text else None,
            result=self._seal.open(sealed, *_result_place(fence, call_key)) if sealed else None,
        )

    def _question(self, fence: Fence, question: Question | None) -> list[Argument]:
        if question is None:
            return [""]
        about = question.about
        fields: list[Argument] = []
        for name in CONTENT:
            value = getattr(about, name)
            fields += [name, "" if value is None else value]
        fields += ["rule", json.dumps(asdict(about.rule)), "asked", seal_content(about, self._seal)]
        fields += ["also_asked", json.dumps(about.also_asked)]
        fields += ["grants", json.dumps(asdict(about.grants)) if about.grants is not None else ""]
        event = self._seal.seal(
            encode_payload(question.requested), fence.tenant, fence.run_id, "event", question.requested.name
        )
        reminders = [round(each * 1000) for each in question.remind_after]
        kind: QuestionKind = about.kind
        return [
            about.approval_id, kind, round(question.expire_after * 1000), json.dumps(reminders), question.scope,
            about.call, *fields, "", "event", event,
        ]  # fmt: skip


def _verdict(text: str) -> Literal["allow", "ask", "deny"]:
    match text:
        case "allow" | "ask":
            return text
        case _:
            return "deny"  # a newer release's word for something this one must not let through


def _state(text: str) -> Literal["opened", "started", "done"]:
    match text:
        case "opened" | "done":
            return text
        case _:
            return "started"


def _result_place(fence: Fence, call_key: str) -> tuple[str, ...]:
    return fence.tenant, fence.run_id, "result", call_key


def _place(fence: Fence) -> tuple[str, str, str, int]:
    return fence.tenant, fence.conversation, fence.run_id, fence.epoch


def _stale(fence: Fence) -> StaleFence:
    return StaleFence(f"run {fence.run_id}: epoch {fence.epoch} no longer holds the lease")


def _refuse(fence: Fence, code: bytes) -> None:
    if code == b"fenced":
        raise _stale(fence)
