"""Messages, views and statuses as the page shows them to one person."""

from bot.playground.page.blocks import Blocks
from bot.playground.records import Ephemeral, FileInfo, Json, Message, ThreadStatus, View
from bot.playground.world import World

PREVIEW_BYTES = 2_000
_TEXTUAL = ("text/", "application/json", "application/yaml")


class Renderer:
    def __init__(self, world: World) -> None:
        self._world = world
        self._blocks = Blocks(world)

    def message(self, message: Message, user: str) -> Json:
        shown = self._blocks.parts(message.blocks, user) if message.bot_id else []
        return {
            "channel": message.channel,
            "ts": message.ts,
            "root": message.root,
            "in_channel": message.in_channel,
            "author": self._name(message.user),
            "bot": message.bot_id is not None,
            "mine": message.user == user,
            "edited": message.edited_ts is not None,
            "ephemeral": False,
            "files": [self._file(info) for info in message.files],
            "reactions": [{"name": name, "count": len(users)} for name, users in message.reactions.items()],
            "parts": shown or self._blocks.text(message.text),
        }

    def ephemeral(self, message: Ephemeral, user: str) -> Json:
        return {
            "channel": message.channel,
            "ts": message.ts,
            "root": message.thread_ts or message.ts,
            "in_channel": message.thread_ts is None,
            "author": self._name(message.author),
            "bot": True,
            "mine": False,
            "edited": False,
            "ephemeral": True,
            "files": [],
            "reactions": [],
            "parts": self._blocks.parts(message.blocks, user) or self._blocks.text(message.text),
        }

    def view(self, view: View) -> Json:
        return {
            "id": view.id,
            "kind": view.kind,
            "title": view.body.get("title", {}).get("text", ""),
            "submit": (view.body.get("submit") or {}).get("text"),
            "close": (view.body.get("close") or {}).get("text", "Close"),
            "parts": self._blocks.parts(view.body["blocks"], view.user),
        }

    def status(self, status: ThreadStatus) -> Json:
        return {
            "channel": status.channel,
            "root": status.thread_ts,
            "text": self._blocks.plain(status.status),
            "title": status.title,
            "prompts": [{"title": p["title"], "message": p["message"]} for p in status.prompts],
        }

    def _name(self, user_id: str) -> str:
        user = self._world.directory.users.get(user_id)
        return user.real_name if user else user_id

    def _file(self, info: FileInfo) -> Json:
        preview = ""
        if info.mimetype.startswith(_TEXTUAL):
            preview = self._world.files.content(info.id)[:PREVIEW_BYTES].decode(errors="replace")
        return {
            "name": info.name,
            "title": info.title,
            "size": info.size,
            "url": f"/page/files/{info.id}",
            "preview": preview,
        }
