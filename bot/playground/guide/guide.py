"""Where somebody is in the guide, and what they see of it."""

from collections.abc import Callable
from contextlib import suppress

from bot.playground import contract
from bot.playground.errors import Impossible
from bot.playground.evidence.scene import Scene
from bot.playground.evidence.trials import Trials
from bot.playground.evidence.verdicts import Fault
from bot.playground.guide.steps import KILLING, LAST, STEPS, Began, GuideView, Looks


class Guide:
    """`subscribe` to hear of each change. Nothing is looked at before somebody asks it to `look`."""

    def __init__(self, scene: Scene, trials: Trials) -> None:
        self._scene = scene
        self._trials = trials
        self._listeners: list[Callable[[GuideView], None]] = []
        self._number = 1
        self._began = self._now()
        self.view = self._looked()

    def subscribe(self, listener: Callable[[GuideView], None]) -> None:
        self._listeners.append(listener)

    def look(self) -> None:
        """See how the step stands after what happened meanwhile."""
        view = self._looked()
        if view != self.view:
            self.view = view
            for listener in self._listeners:
                listener(view)
            self._scene.pulse.beat()

    def go_on(self) -> None:
        """To the next step; after the last one the guide is put away."""
        self._enter(self._number + 1 if self._number < LAST else 0)

    def put_away(self) -> None:
        self._enter(0)

    def start_again(self) -> None:
        self._enter(1)

    def _enter(self, number: int) -> None:
        if self._number == KILLING:
            self._trials.call_off(Fault.KILL_BOT)
        self._number, self._began = number, self._now()
        if number == KILLING:
            cast = self._scene.config.cast
            with suppress(Impossible):  # the step says so
                self._trials.start(Fault.KILL_BOT, cast.approver, cast.ops, at_approval=True)
        self.look()

    def _now(self) -> Began:
        card = Looks.newest_card(self._scene)
        return Began(
            at=self._scene.world.clock.ts(),
            deliveries=len(self._scene.ledger.deliveries),
            effects=len(self._scene.effects.seen),
            revision=(contract.revision(card) or 0) if card else 0,
            trials={fault: trial.number for fault, trial in self._trials.latest.items()},
        )

    def _looked(self) -> GuideView:
        step = STEPS.get(self._number)
        return step(Looks(self._scene, self._trials, self._began)) if step else GuideView(number=0)
