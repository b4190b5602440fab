"""A team whose people talk in several conversations; one of them says a word that can be looked for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from approvals.approval_office import TENANT, ApprovalOffice, call

from harness_core.approvals import Approve, Reject
from harness_core.models import Accepted, Delivery, Steered, Submission
from harness_core.store import ItemWrite

CANARY = "canary-f3a9"
OTHER = "parrot-77d1"
PERSON = "U0PERSON01"

_names = itertools.count()


@dataclass
class Team:
    """Conversations of several people, in which one says :data:`CANARY` wherever something can be said."""

    office: ApprovalOffice
    runs: dict[str, list[str]] = field(default_factory=dict)

    async def ask(
        self,
        text: str,
        *,
        user: str = PERSON,
        conversation: str = "C1",
        tenant: str = TENANT,
        steer: bool = False,
    ) -> str:
        submission = Submission(
            tenant=tenant,
            conversation=conversation,
            user=user,
            text=text,
            dedupe=(f"event-{next(_names)}", f"post-{conversation}-{next(_names)}"),
            target={"channel": "general", "ts": conversation},
            while_running="steer" if steer else "queue",
        )
        accepted = await self.office.store.runs.accept(submission)
        assert isinstance(accepted, Accepted | Steered)
        self.runs.setdefault(conversation, []).append(accepted.run_id)
        return accepted.run_id

    async def answered(self, text: str, *, user: str = PERSON, conversation: str = "C1") -> str:
        run_id = await self.ask(text, user=user, conversation=conversation)
        await self.office.ended(run_id)
        return run_id

    async def thread(self, conversation: str = "C1", tenant: str = TENANT) -> str:
        thread = await self.office.store.threads.find(tenant, conversation)
        assert thread is not None
        return thread.thread_id

    async def talk(self) -> None:
        """One person asks, steers, is approved and rejected in C1; says a word in C2 of U2; only approves in C3 of U2."""
        store = self.office.store
        self.office.hold("slow")
        steered = await self.ask(f"{call('look', 'slow')} then say 3 words")
        await self.office.began("look")
        await self.ask(f"say {CANARY}", steer=True)
        self.office.let_go("slow")
        await self.office.ended(steered)
        await self.answered(f'say "{CANARY}"')
        approved = await self.ask(call("restart", CANARY, password=f"secret-{CANARY}"))
        question = await self.office.question(approved)
        changed = {"service": f"{CANARY}-2", "env": "prod", "count": 1}
        await self.office.approvals.revise(
            TENANT, question.approval_id, changed, revision=0, by=PERSON, source="message"
        )
        await self.office.decide(await self.office.question(approved), Approve(), by="U2")
        await self.office.ended(approved)
        await self.shown(approved)
        rejected = await self.ask(call("restart", "web"), user="U2", conversation="C2")
        await self.office.decide(
            await self.office.question(rejected), Reject(reason=f"not while {CANARY}"), by=PERSON
        )
        await self.office.ended(rejected)
        quiet = await self.ask(call("restart", OTHER), user="U2", conversation="C3")
        await self.office.decide(await self.office.question(quiet), Approve(), by=PERSON)
        await self.office.ended(quiet)
        await self.answered(f'say "{OTHER}"', user="U3", conversation="C4")
        for user, note in ((PERSON, CANARY), ("U2", OTHER)):
            await store.items.write(
                TENANT,
                [
                    ItemWrite(
                        namespace=("notes", "ops", "person", user),
                        key=f"{next(_names)}",
                        value={"note": note, "thread": "thread_elsewhere", "by": user},
                    )
                ],
            )
        await store.items.write(
            TENANT,
            [
                ItemWrite(
                    namespace=("threads", "ops"),
                    key=await self.thread(),
                    value={"summary": CANARY, "user": PERSON, "run": approved},
                )
            ],
        )

    async def shown(self, run_id: str) -> None:
        store = self.office.store
        owner = await store.deliveries.own(TENANT, "owner", 60.0)
        assert owner is not None
        run = await store.runs.get(run_id)
        final = Delivery(run_id=run_id, part="0", state="shown", nonce="n", shown=run.events, final=True)
        await store.deliveries.done(owner, final, complete=True)
        await store.deliveries.disown(owner)
