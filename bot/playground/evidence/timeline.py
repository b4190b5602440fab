"""The timeline: everything that happened as lines for people, in the order in which it happened.

The same thing many times in a row is one line with a count, so that a long run stays readable. What the
platform tells the bot about the bot's own messages is left out: it is an echo.
"""

from collections.abc import Callable
from dataclasses import replace

from bot.playground.effects import Effect
from bot.playground.evidence.entries import Entry, EntryKind
from bot.playground.processes import (
    CannotStart,
    Ended,
    Held,
    News,
    Ready,
    Started,
    WorkspaceRead,
)
from bot.playground.records import ApiCall, Delivery, Json
from bot.playground.world import World

KEPT = 2_000
LOOK_BACK = 4
"""How many lines above the newest one may still grow, so that two things that take turns are two lines."""

_QUIET_METHODS = frozenset({"auth.test", "users.info", "conversations.info", "apps.connections.open"})


class Timeline:
    """`publish` hears of each line as it comes and as it changes."""

    def __init__(self, world: World, publish: Callable[[Entry], None]) -> None:
        self._world = world
        self._publish = publish
        self._growing: dict[int, str] = {}
        self._newest = 0
        self._bands = 0
        self.entries: dict[int, Entry] = {}

    def clear(self) -> None:
        self.entries.clear()
        self._growing.clear()

    def begin_band(self) -> None:
        self._bands += 1

    def end_band(self) -> None:
        self._bands -= 1

    def add(self, kind: EntryKind, text: str, *, at: float, detail: str = "", same: str = "") -> None:
        """One line, or one more of the line that has the same `same`."""
        for number in reversed(self._growing) if same else ():
            if self._growing[number] == same:
                before = self.entries[number]
                self._put(replace(before, detail=detail, count=before.count + 1))
                return
        self._newest += 1
        self._growing[self._newest] = same
        if len(self._growing) > LOOK_BACK:
            del self._growing[next(iter(self._growing))]
        band = self._bands > 0
        self._put(Entry(number=self._newest, at=at, kind=kind, text=text, detail=detail, band=band))
        if len(self.entries) > KEPT:
            del self.entries[next(iter(self.entries))]

    def wire(self, line: ApiCall | Delivery) -> None:
        match line:
            case ApiCall():
                self._called(line)
            case Delivery(kind="events_api"):
                self._delivered(line)
            case Delivery():
                self._acted(line)

    def effect(self, effect: Effect) -> None:
        detail = "its answer is held back" if effect.held else f"key {effect.key[:8]}"
        self.add("effect", f"The tool really ran: {effect.what}", at=effect.at, detail=detail)

    def news(self, news: News, at: float) -> None:
        match news:
            case Started(again=again, pids=pids):
                numbers = " and ".join(map(str, pids))
                self.add("process", "Bot started again" if again else "Bot started", at=at, detail=numbers)
            case Ready():
                self.add("process", "Bot takes messages", at=at)
            case Held():
                self.add("process", "Worker held still", at=at, detail="SIGSTOP")
            case Ended(how=how):
                self.add("process", "Bot is gone", at=at, detail=how)
            case CannotStart(why=why):
                self.add("workspace", "Bot cannot start", at=at, detail=why, same=f"cannot start {why}")
            case WorkspaceRead(findings=()):
                self.add("workspace", "Workspace read again", at=at, same="workspace read")
            case WorkspaceRead(findings=findings):
                more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
                self.add("workspace", "Workspace refused", at=at, detail=f"{findings[0]}{more}")

    def _put(self, entry: Entry) -> None:
        self.entries[entry.number] = entry
        self._publish(entry)

    def _called(self, call: ApiCall) -> None:
        if call.status == 429:
            self.add(
                "refused", f"Slack refused {call.method}: slow down", at=call.at, same=f"429 {call.method}"
            )
        elif call.method in _QUIET_METHODS and call.ok:
            return
        elif call.reply_lost:
            self.add("refused", f"{call.method}, and its reply was lost", at=call.at)
        elif not call.ok:
            self.add("refused", f"Slack refused {call.method}", at=call.at, detail=str(call.error))
        else:
            target = (
                str(call.args.get("ts", "")) if call.method == "chat.update" else call.answer.get("ts", "")
            )
            same = f"{call.method} {target or call.args.get('thread_ts', '')}"
            self.add("call", _CALLS.get(call.method, call.method), at=call.at, detail=call.method, same=same)

    def _delivered(self, delivery: Delivery) -> None:
        event = delivery.payload["event"]
        if _author(event) in (self._world.directory.bot.id, None):
            return
        took = f"{delivery.status or delivery.failure} in {delivery.seconds * 1000:.0f} ms"
        again = f", try {delivery.retry_num + 1}" if delivery.retry_num else ""
        text = f"Slack told the bot: {delivery.event_type}{again}"
        self.add("event" if delivery.failure is None else "refused", text, at=delivery.at, detail=took)

    def _acted(self, delivery: Delivery) -> None:
        user = self._world.directory.users.get(_actor(delivery))
        took = f"{delivery.status or delivery.failure} in {delivery.seconds * 1000:.0f} ms"
        text = f"{user.real_name if user else 'Somebody'} {_deed(delivery)}"
        self.add("act" if delivery.failure is None else "refused", text, at=delivery.at, detail=took)


_CALLS = {
    "assistant.threads.setStatus": "Bot says what it is doing",
    "chat.postMessage": "Bot posts a message",
    "chat.update": "Bot edits its message",
    "chat.postEphemeral": "Bot whispers to one person",
    "chat.getPermalink": "Bot asks for a link",
    "response_url": "Bot answers whoever acted",
    "views.open": "Bot opens a dialog",
    "views.update": "Bot changes a dialog",
    "views.push": "Bot opens a dialog above",
    "views.publish": "Bot publishes a Home tab",
    "conversations.replies": "Bot reads the thread",
    "reactions.add": "Bot reacts",
    "files.completeUploadExternal": "Bot uploads a file",
}


def _author(event: Json) -> str | None:
    inner = event.get("message") or event.get("previous_message") or event
    user = inner.get("user")
    return str(user) if user else None


def _actor(delivery: Delivery) -> str:
    if delivery.kind == "slash_commands":
        return str(delivery.payload["user_id"])
    return str(delivery.payload["user"]["id"])


def _deed(delivery: Delivery) -> str:
    match delivery.payload:
        case {"type": "block_actions", "actions": [{"text": {"text": str(label)}}]}:
            return f"pressed {label}"
        case {"type": "block_actions", "actions": [{"type": str(kind)}]}:
            return f"used a {kind.replace('_', ' ')}"
        case {"type": "view_submission", "view": {"title": {"text": str(title)}}}:
            return f"submitted “{title}”"
        case {"type": "view_closed"}:
            return "closed a dialog"
        case {"command": str(command), "text": str(text)}:
            return f"typed {command} {text}".strip()
        case _:
            return delivery.event_type
