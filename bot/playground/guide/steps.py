"""The six steps: what each says, what to press next, and when it is done. What was done is seen on the wire.

A step looks at the world after everything that happens and says how it stands; it remembers nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.playground import contract
from bot.playground.evidence.scene import Scene, Trial
from bot.playground.evidence.trials import Trials
from bot.playground.evidence.verdicts import Fault
from bot.playground.records import Message

LAST = 6
KILLING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The one thing to press: the composer's Send, a button of a message, the dialog's submit, a fault, the guide's own.

    `user` is who has to be at the page for that; `channel` and `ts` name the message of an `action`.
    """

    kind: Literal["send", "action", "fault", "next"]
    user: str | None = None
    action: str = ""
    channel: str = ""
    ts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideView:
    """`number` 0: the guide is put away. `suggestion` is a text for the composer."""

    number: int
    title: str = ""
    text: str = ""
    done: bool = False
    suggestion: str = ""
    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """How things stood when a step was entered; it is done by what came after that."""

    at: str
    deliveries: int
    effects: int
    revision: int
    trials: Mapping[Fault, int]


@dataclass(frozen=True, slots=True)
class Looks:
    """What the steps look at."""

    scene: Scene
    trials: Trials
    began: Began

    @property
    def requester(self) -> str:
        return self.scene.config.cast.requester

    @property
    def approver(self) -> str:
        return self.scene.config.cast.approver

    @staticmethod
    def newest_card(scene: Scene) -> Message | None:
        """The newest message that waits for a decision."""
        cards = [each for each in scene.world.messages.everywhere() if contract.is_open_card(each)]
        return max(cards, key=lambda card: card.ts, default=None)

    @property
    def card(self) -> Message | None:
        return self.newest_card(self.scene)

    def said(self, *, by_bot: bool) -> list[Message]:
        """Messages since the step began, of people or of the bot."""
        bot = self.scene.world.directory.bot.id
        later = (each for each in self.scene.world.messages.everywhere() if each.ts > self.began.at)
        return [each for each in later if (each.user == bot) == by_bot]

    def pressed(self, action: str, user: str) -> bool:
        """Whether that person has used that button since the step began."""
        since = self.scene.ledger.deliveries[self.began.deliveries :]
        return any(
            each.payload["user"]["id"] == user
            and any(str(one["action_id"]).startswith(action) for one in each.payload.get("actions", ()))
            for each in since
            if each.kind == "interactive"
        )

    def whispered_to(self, user: str) -> bool:
        """Whether the bot has told that person alone something since the step began."""
        shown = self.scene.world.messages.ephemerals.values()
        return any(each.to == user and each.ts > self.began.at for each in shown)

    def trial(self, fault: Fault) -> Trial | None:
        """The newest trial of that fault, if it began in this step."""
        trial = self.trials.latest.get(fault)
        return trial if trial and trial.number > self.began.trials.get(fault, 0) else None

    def on_card(self, action: str, user: str) -> Target | None:
        card = self.card
        return (
            Target(kind="action", user=user, action=action, channel=card.channel, ts=card.ts)
            if card
            else None
        )


NEXT = Target(kind="next")


def _ask(at: Looks) -> GuideView:
    asked, answered = (
        at.said(by_bot=False),
        [each for each in at.said(by_bot=True) if contract.is_final(each)],
    )
    if answered:
        text = (
            "First its steps, then one answer. Slack told the bot of your message twice, as it does for every "
            "mention; the counters on the right show that one of them was dropped."
        )
        return GuideView(number=1, title="Ask why something is slow", text=text, done=True, target=NEXT)
    if asked:
        text = "Watch the thread: each step appears while the bot works, and then the answer grows."
        return GuideView(number=1, title="Ask why something is slow", text=text)
    return GuideView(
        number=1,
        title="Ask why something is slow",
        text="You are Rosa, who needs help. Send the message that is written below.",
        suggestion=f"@{at.scene.world.directory.bot.name} {at.scene.config.suggestions.ask}",
        target=Target(kind="send", user=at.requester),
    )


def _request(at: Looks) -> GuideView:
    title = "Ask for something that changes prod"
    act = at.scene.config.suggestions.act
    if act is None:
        text = (
            "Your workspace has tools of its own. When one of them needs approval, a card asks for it here."
        )
        return GuideView(number=2, title=title, text=text, done=True, target=NEXT)
    if at.pressed(contract.APPROVE, at.requester) and at.whispered_to(at.requester):
        text = "Refused, and only you were told: whoever asks does not approve alone. The card still waits."
        return GuideView(number=2, title=title, text=text, done=True, target=NEXT)
    if at.card is not None:
        text = "It asks before it acts. You asked for this, so see what happens when you approve it yourself."
        target = at.on_card(contract.APPROVE, at.requester)
        return GuideView(number=2, title=title, text=text, target=target)
    text = "Now ask for a restart. That changes something, so the bot may not just do it."
    if at.said(by_bot=False):
        return GuideView(number=2, title=title, text="Watch the thread: a card is on its way.")
    return _send(2, title, text, act, at)


def _change(at: Looks) -> GuideView:
    title = "Now you are the approver"
    card = at.card
    if card is None:
        act = at.scene.config.suggestions.act
        text = "Nothing waits for a decision. Ask for a restart first."
        if act is None:
            return GuideView(number=3, title=title, text=text, done=True, target=NEXT)
        return _send(3, title, text, act, at)
    if (contract.revision(card) or 0) > at.began.revision:
        text = "The card shows what was and what is now. Whatever was approved before no longer counts."
        return GuideView(number=3, title=title, text=text, done=True, target=NEXT)
    text = "Become Amir, press Edit on the card, and change an argument: staging in place of prod."
    return GuideView(number=3, title=title, text=text, target=at.on_card(contract.EDIT, at.approver))


def _kill(at: Looks) -> GuideView:
    title = "Approve, and lose the bot"
    trial = at.trial(Fault.KILL_BOT)
    if trial is None or trial.phase == "ended":
        said = trial.verdict.text if trial and trial.verdict else (trial.note if trial else "")
        why = said or at.trials.unavailable(Fault.KILL_BOT)
        runs = len(at.scene.effects.seen) - at.began.effects
        text = f"{why.rstrip('.')}. The counter outside the bot saw the tool run {runs} time{'' if runs == 1 else 's'}."
        return GuideView(number=4, title=title, text=text, done=True, target=NEXT)
    if trial.phase == "at work":
        text = (
            "The bot is dead; it was hit before the tool started. It stays away for some seconds, then goes on "
            "where it was."
        )
        return GuideView(number=4, title=title, text=text)
    if at.card is None and at.scene.config.suggestions.act is not None:
        text = "Nothing waits for a decision. Ask for a restart first."
        return _send(4, title, text, at.scene.config.suggestions.act, at)
    text = "Press Approve. When the decision is stored, a SIGKILL ends the bot, before the tool starts."
    return GuideView(number=4, title=title, text=text, target=at.on_card(contract.APPROVE, at.approver))


def _storm(at: Looks) -> GuideView:
    title = "Send everything twice, and let Slack refuse"
    double, slow = at.trial(Fault.TWICE), at.trial(Fault.SLOW_DOWN)
    if double is None:
        text = "Press “Deliver everything twice”. The question is asked for you."
        target = Target(kind="fault", action=Fault.TWICE)
    elif slow is None:
        text = "And at once the next one: Slack refuses every call for 20 seconds."
        target = Target(kind="fault", action=Fault.SLOW_DOWN)
    elif double.phase == "ended" and slow.phase == "ended":
        verdicts = [trial.verdict.text for trial in (double, slow) if trial.verdict]
        text = f"{'. '.join(verdicts)}." if verdicts else "Called off."
        return GuideView(number=5, title=title, text=text, done=True, target=NEXT)
    else:
        return GuideView(number=5, title=title, text="Watch the counters climb. The thread stays calm.")
    return GuideView(number=5, title=title, text=text, target=target)


def _own(at: Looks) -> GuideView:
    folder = at.scene.config.workspace or "workspace"
    text = (
        f"Change an agent in {folder}: what you save is taken up at once, and a mistake is shown here with file "
        "and line. Or connect your own Slack: README.md, “Connect your Slack”."
    )
    return GuideView(number=6, title="Your turn", text=text, done=True, target=NEXT)


def _send(number: int, title: str, text: str, what: str, at: Looks) -> GuideView:
    return GuideView(
        number=number,
        title=title,
        text=text,
        suggestion=f"@{at.scene.world.directory.bot.name} {what}",
        target=Target(kind="send", user=at.requester),
    )


STEPS: Mapping[int, Callable[[Looks], GuideView]] = {
    1: _ask,
    2: _request,
    3: _change,
    KILLING: _kill,
    5: _storm,
    LAST: _own,
}
