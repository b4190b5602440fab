"""What people do to runs from outside: ask for one, look at them, stop one, try again.

Imports the store alone, so a web process that only takes messages in never loads an agent framework.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from ulid import ULID

from harness_core.events import Event
from harness_core.models import (
    DEAD_LETTERS,
    Acceptance,
    Message,
    Page,
    Run,
    RunFilter,
    RunInput,
    Submission,
    Switches,
    Thread,
)
from harness_core.states import LIVE, RunState
from harness_core.store import PATIENCE, Moved, Restart, Store

CORRECTION = "[The author of a message above has changed it since. It now says:]"
"""Stands before the new text of a message that an agent has read already."""

_LIVE = 30  # newest runs of a thread among which all its live ones are: so many more than may wait in it


class Control:
    """The front end's side of the engine. Every call is one read or one atomic verb of the store, :meth:`show_again` some more."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def submit(self, submission: Submission) -> Acceptance:
        """Stores a message as a run. When this returns, no crash loses it."""
        return await self._store.runs.accept(submission)

    async def cancel(self, run_id: str, by: str) -> Literal["cancelled", "requested", "finished"]:
        """Stops a run, wherever it is: at once, or as soon as its worker hears of it.

        :raises RunNotFound: there is no such run.
        """
        return await self._store.runs.cancel(run_id, by)

    async def retry(self, run_id: str, by: str) -> Acceptance:
        """Asks again what ``run_id`` was asked. A second press on the same run is a duplicate.

        So a run that was given up is replayed. Who asked for it before has asked for this one, too.

        :raises RunNotFound: there is no such run.
        """
        run = await self._store.runs.get(run_id)
        asked = await self._store.runs.load_input(run_id)
        return await self.submit(
            Submission(
                tenant=run.tenant,
                conversation=run.conversation,
                user=by,
                text=asked.text,
                context=asked.context,
                state=asked.state,
                files=asked.files,
                dedupe=(f"retry:{run_id}",),
                target=run.target,
                channel=run.channel,
                agent=run.agent,
                retry_of=run_id,
                also_asked=run.requesters,
            )
        )

    async def restart_conversation(
        self, thread_id: str, asked: RunInput, *, by: str, agent: str | None = None
    ) -> Acceptance:
        """Begins again where ``thread_id`` belongs: stops what is live, and asks in a new thread, in one step.

        Answers go where those of the thread's newest run went. The old thread stays readable.

        :raises ThreadNotFound: there is no such thread.
        """
        thread = await self._store.threads.get(thread_id)
        last = await self._store.runs.get(thread.latest_run) if thread.latest_run is not None else None
        return await self.submit(
            Submission(
                tenant=thread.tenant,
                conversation=thread.conversation,
                user=by,
                text=asked.text,
                context=asked.context,
                state=asked.state,
                files=asked.files,
                dedupe=(f"anew:{ULID()}",),
                target=last.target if last is not None else {},
                channel=last.channel if last is not None else None,
                agent=agent,
                anew=True,
            )
        )

    async def start_anew(self, tenant: str, conversation: str, *, by: str, names: Sequence[str]) -> Restart:
        """As :meth:`restart_conversation`, with nothing asked yet; once for the ``names`` of the request."""
        return await self._store.messages.restart(tenant, conversation, by, names)

    async def amend(self, tenant: str, name: str, text: str, *, by: str, stamp: int) -> Moved:
        """The author changed the message that was taken in as ``name``; ``stamp`` grows with each change.

        What has not begun gets the new text, a run at work reads a correction.
        """
        correction = f"{CORRECTION}\n\n{text}"
        return await self._store.messages.amend(tenant, name, text, by=by, stamp=stamp, correction=correction)

    async def withdraw(self, tenant: str, name: str, by: str) -> Moved:
        """Takes back the message that was taken in as ``name``, if nothing has begun with it."""
        return await self._store.messages.withdraw(tenant, name, by)

    async def note_post(self, tenant: str, conversation: str, place: int) -> None:
        """A person wrote something in the conversation, for the agent or not; ``place`` grows with each message."""
        await self._store.messages.note_post(tenant, conversation, place)

    async def show_again(self, tenant: str, conversation: str, external_id: str) -> bool:
        """A message of this id is gone: if it showed a live run of the conversation, that is looked at again.

        False where it showed none, or nothing that is live.
        """
        thread = await self.find_thread(tenant, conversation)
        if thread is None:
            return False
        for run in await self.live_runs(thread):
            if await self._is_shown_by(run.run_id, external_id):
                await self._store.deliveries.mark_dirty(run.run_id)
                return True
        return False

    async def live_runs(self, thread: Thread) -> list[Run]:
        """The runs of a thread that are not over, the newest first."""
        wanted = RunFilter(thread_id=thread.thread_id)
        newest = await self.list_runs(thread.tenant, wanted, limit=_LIVE)
        return [run for run in newest.items if run.state in LIVE]

    async def _is_shown_by(self, run_id: str, external_id: str) -> bool:
        shown = await self._store.deliveries.of_run(run_id)
        return any(each.external_id == external_id for each in shown.values())

    async def carry_on(self, run_id: str) -> bool:
        """Lets a run go on that was left where its worker was lost; False when it is not such a run.

        :raises RunNotFound: there is no such run.
        """
        return await self._store.runs.carry_on(run_id)

    async def dead_letters(self, tenant: str, *, cursor: str | None = None, limit: int = 10) -> Page[Run]:
        """A page of the runs that were given up since their workers were lost again and again, newest first."""
        return await self.list_runs(tenant, DEAD_LETTERS, cursor=cursor, limit=limit)

    async def drain(self, by: str) -> bool:
        """From now on no worker begins or resumes a run, until :meth:`resume`; whether that is news."""
        return await self._store.switches.drain(by)

    async def resume(self, by: str) -> bool:
        """Workers take up runs again; whether they had paused."""
        return await self._store.switches.resume(by)

    async def request_reload(self) -> None:
        """Every process reads its workspace again within a second or two; a broken one keeps what it has."""
        await self._store.switches.reload()

    async def switches(self) -> Switches:
        """What operators ask of the workers."""
        return await self._store.switches.read()

    async def get_run(self, run_id: str) -> Run:
        """:raises RunNotFound: there is no such run."""
        return await self._store.runs.get(run_id)

    async def run_input(self, run_id: str) -> RunInput:
        """What the run was asked.

        :raises RunNotFound: there is no such run.
        """
        return await self._store.runs.load_input(run_id)

    async def output(self, run_id: str) -> str | None:
        """The answer of a run that ended with one."""
        return await self._store.runs.output(run_id)

    async def list_runs(
        self, tenant: str, wanted: RunFilter | None = None, *, cursor: str | None = None, limit: int = 10
    ) -> Page[Run]:
        """A page of runs, newest first."""
        return await self._store.lists.page(tenant, wanted, cursor=cursor, limit=limit)

    async def count_runs(self, tenant: str) -> dict[RunState, int]:
        """How many runs stand where."""
        return await self._store.lists.counts(tenant)

    async def list_events(self, run_id: str, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """The run's events after sequence number ``after``, at most ``limit`` of them.

        The number of the last one is where the next page begins, or where :meth:`follow` goes on.

        :raises RunNotFound: there is no such run.
        """
        return await self._store.events.read(run_id, after=after, limit=limit)

    def follow(
        self, run_id: str, *, after: int = 0, while_waiting: bool = False, patience: float = PATIENCE
    ) -> AsyncIterator[Event]:
        """The run's events after ``after`` as they come, whichever process executes it.

        Ends when the run is over or, unless ``while_waiting``, when it waits for people. While Redis is away it
        waits, and then goes on where it was: no event is missed or told twice.

        :raises RunNotFound: there is no such run, or it was removed meanwhile.
        :raises StoreUnavailable: Redis was away for longer than ``patience`` seconds.
        """
        return self._store.events.follow(run_id, after=after, while_waiting=while_waiting, patience=patience)

    async def find_thread(self, tenant: str, conversation: str) -> Thread | None:
        """The current thread of a conversation."""
        return await self._store.threads.find(tenant, conversation)

    async def get_thread(self, thread_id: str) -> Thread:
        """:raises ThreadNotFound: there is no such thread."""
        return await self._store.threads.get(thread_id)

    async def list_threads(self, tenant: str, *, cursor: str | None = None, limit: int = 20) -> Page[Thread]:
        """A page of threads, the most recently used first."""
        return await self._store.threads.page(tenant, cursor=cursor, limit=limit)

    async def messages(self, thread_id: str, *, cursor: str | None = None, limit: int = 50) -> Page[Message]:
        """A page of a thread's messages, newest first."""
        return await self._store.threads.messages(thread_id, cursor=cursor, limit=limit)

    async def set_quiet(self, tenant: str, conversation: str) -> None:
        """Until somebody addresses it again, nothing is read in this conversation."""
        await self._store.threads.set_quiet(tenant, conversation)

    async def set_agent(self, tenant: str, conversation: str, agent: str) -> None:
        """The agent of the conversation's next runs."""
        await self._store.threads.set_agent(tenant, conversation, agent)

    async def tenants(self) -> list[str]:
        """Every tenant that ever had a run."""
        return await self._store.lists.tenants()

    async def alive_workers(self) -> list[str]:
        """The workers that are alive, for people to see."""
        return await self._store.presence.workers()
