"""Everything that is measured, in one place: the timeline, the counters, the trials."""

import time
from collections.abc import Callable
from typing import TypeAlias

from bot.playground.effects import Effect
from bot.playground.evidence.counting import Counting
from bot.playground.evidence.entries import Counters, Entry
from bot.playground.evidence.scene import Scene, Trial
from bot.playground.evidence.strikes import OFFERS
from bot.playground.evidence.timeline import Timeline
from bot.playground.evidence.trials import Trials
from bot.playground.processes import News
from bot.playground.records import ApiCall, Delivery
from bot.playground.world import Change
from bot.playground.world.changes import Posted, Reset

Finding: TypeAlias = Entry | Counters | Trial | News
LONGEST_QUOTE = 60
_LABELS = {offer.fault: offer.label for offer in OFFERS}


class Evidence:
    """Listens to the world, the wire, the effect counter and the processes; `subscribe` to what it makes of them."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._listeners: list[Callable[[Finding], None]] = []
        self._counting = Counting(scene.config.cast.bot_user)
        self.timeline = Timeline(scene.world, self._publish)
        self.trials = Trials(scene, self._counting, self._tried)
        scene.world.subscribe(self._changed)
        scene.ledger.subscribe(self._wired)
        scene.effects.subscribe(self._happened)
        scene.processes.subscribe(self._heard)

    @property
    def counters(self) -> Counters:
        return self._counting.counters

    def subscribe(self, listener: Callable[[Finding], None]) -> None:
        self._listeners.append(listener)

    def _publish(self, finding: Finding) -> None:
        for listener in self._listeners:
            listener(finding)
        self._scene.pulse.beat()

    def _changed(self, change: Change) -> None:
        match change:
            case Posted(message) if message.bot_id is None:
                author = self._scene.world.directory.users[message.user]
                text = message.text.replace(f"<@{self._scene.config.cast.bot_user}>", "").strip()
                quote = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
                self.timeline.add("said", f"{author.real_name} wrote “{quote}”", at=float(message.ts))
            case Reset():
                self.timeline.clear()
                self._counting.clear()
                self.trials.forget()
            case _:
                pass

    def _wired(self, line: ApiCall | Delivery) -> None:
        before = self._counting.counters
        self._counting.wire(line)
        self.timeline.wire(line)
        if self._counting.counters != before:
            self._publish(self._counting.counters)

    def _happened(self, effect: Effect) -> None:
        self._counting.effects(effect.number)
        self.timeline.effect(effect)
        self._publish(self._counting.counters)

    def _heard(self, news: News) -> None:
        self._counting.restarts(self._scene.processes.restarts)
        self.timeline.news(news, time.time())
        self._publish(self._counting.counters)
        self._publish(news)

    def _tried(self, trial: Trial) -> None:
        label = _LABELS[trial.fault]
        match trial:
            case Trial(phase="ended", verdict=None):
                self.timeline.add("verdict", f"{label}: {trial.note}", at=time.time())
                self.timeline.end_band()
            case Trial(phase="ended", verdict=verdict):
                text = verdict.text if verdict else ""
                self.timeline.add("verdict", text, at=time.time(), detail=label)
                self.timeline.end_band()
            case Trial(phase="pressed"):
                self.timeline.begin_band()
                self.timeline.add("fault", label, at=time.time())
            case _:
                pass
        self._publish(trial)
