"""Everything the page shows to one person at one moment."""

from dataclasses import asdict
from typing import Any

from pydantic_core import to_jsonable_python

from bot.playground.evidence.entries import Counters, Entry
from bot.playground.evidence.evidence import Evidence
from bot.playground.evidence.scene import Scene, Trial
from bot.playground.evidence.strikes import OFFERS
from bot.playground.guide import Guide, GuideView
from bot.playground.page.messages import Renderer
from bot.playground.records import Json

LINES = 400


class Snapshot:
    def __init__(self, scene: Scene, evidence: Evidence, guide: Guide) -> None:
        self._scene = scene
        self._world = scene.world
        self._evidence = evidence
        self._guide = guide
        self.renderer = Renderer(scene.world)

    def whole(self, user: str) -> Json:
        """Raises SlackError(user_not_found)."""
        directory, messages = self._world.directory, self._world.messages
        me = directory.user(user)
        dm = directory.direct(me.id)
        mine = [c for c in directory.channels.values() if me.id in c.members]
        seen = {channel.id for channel in mine}
        drawn = [self.renderer.message(m, user) for m in messages.everywhere() if m.channel in seen]
        drawn += [self.renderer.ephemeral(e, user) for e in messages.ephemerals.values() if e.to == user]
        return {
            "users": {person.name: person.id for person in directory.users.values()},
            "channels": [{"id": c.id, "name": c.name, "kind": c.kind, "dm": c.id == dm.id} for c in mine],
            "messages": drawn,
            "statuses": [self.status(channel, ts) for channel, ts in messages.statuses if channel in seen],
            "view": self.modal(user),
            "home": self.home(user),
            "entries": [self.entry(each) for each in list(self._evidence.timeline.entries.values())[-LINES:]],
            "counters": self.counters(self._evidence.counters),
            "trials": [self.trial(trial) for trial in self._evidence.trials.latest.values()],
            "guide": self.guide_view(self._guide.view),
            "bot": self.bot(),
        }

    def offers(self) -> list[Json]:
        """The fault buttons, and why one cannot be pressed here."""
        trials = self._evidence.trials
        return [
            {"fault": o.fault, "label": o.label, "sentence": o.sentence, "why": trials.unavailable(o.fault)}
            for o in OFFERS
        ]

    def sees(self, user: str, channel: str) -> bool:
        found = self._world.directory.channels.get(channel)
        return found is not None and user in found.members

    def modal(self, user: str) -> Json | None:
        top = self._world.views.top(user)
        return self.renderer.view(top) if top else None

    def home(self, user: str) -> Json | None:
        home = self._world.views.home(user)
        return self.renderer.view(home) if home else None

    def status(self, channel: str, thread_ts: str) -> Json:
        return self.renderer.status(self._world.messages.status(channel, thread_ts))

    def entry(self, entry: Entry) -> Json:
        return asdict(entry)

    def counters(self, counters: Counters) -> Json:
        return asdict(counters)

    def trial(self, trial: Trial) -> Json:
        asked = trial.asked
        return {
            "number": trial.number,
            "fault": trial.fault,
            "phase": trial.phase,
            "note": trial.note,
            "asked": {"channel": asked.channel, "ts": asked.ts, "user": asked.user} if asked else None,
            "verdict": asdict(trial.verdict) if trial.verdict else None,
        }

    def guide_view(self, view: GuideView) -> Any:
        return to_jsonable_python(view)

    def bot(self) -> Json:
        processes = self._scene.processes
        return {
            "supervised": processes.supervised,
            "pids": list(processes.pids),
            "ready": processes.ready,
            "problem": processes.problem,
            "workspace": self._scene.config.workspace or "",
            "findings": list(processes.findings),
            "read_at": processes.read_at,
        }
