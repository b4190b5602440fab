"""Files: bytes by id, and uploads that were started but not completed."""

import secrets
from dataclasses import dataclass, replace

from bot.playground.errors import SlackError
from bot.playground.records import FileInfo
from bot.playground.world.clock import Clock, new_id


@dataclass(slots=True)
class _Upload:
    info: FileInfo
    received: bool = False


class Files:
    """`start` hands out a ticket, `receive` takes the bytes for it, `complete` makes the file visible."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._uploads: dict[str, _Upload] = {}
        self._tickets: dict[str, str] = {}
        self._files: dict[str, FileInfo] = {}
        self._bytes: dict[str, bytes] = {}

    def start(self, name: str, size: int, user: str, mimetype: str) -> tuple[str, FileInfo]:
        info = FileInfo(
            id=new_id("F"),
            name=name,
            title=name,
            mimetype=mimetype,
            size=size,
            user=user,
            created=int(self._clock.now()),
        )
        ticket = secrets.token_urlsafe(16)
        self._uploads[info.id] = _Upload(info)
        self._tickets[ticket] = info.id
        return ticket, info

    def receive(self, ticket: str, content: bytes) -> FileInfo:
        """Take the bytes for a ticket; each ticket works once, and the size must be the announced one."""
        upload = self._uploads.get(self._tickets.pop(ticket, ""))
        if upload is None:
            raise SlackError("file_not_found")
        if len(content) != upload.info.size:
            raise SlackError(
                "file_upload_size_restricted", [f"announced {upload.info.size} bytes, got {len(content)}"]
            )
        upload.received = True
        self._bytes[upload.info.id] = content
        return upload.info

    def complete(self, file_id: str, title: str | None, channel: str | None) -> FileInfo:
        upload = self._uploads.get(file_id)
        if upload is None or not upload.received:
            raise SlackError("file_not_found")
        del self._uploads[file_id]
        shared = (channel,) if channel else ()
        info = replace(upload.info, title=title or upload.info.name, shared_in=shared)
        self._files[file_id] = info
        return info

    def add(self, name: str, content: bytes, user: str, mimetype: str, channel: str) -> FileInfo:
        """A file a person attaches to a post: all three steps at once."""
        ticket, info = self.start(name, len(content), user, mimetype)
        self.receive(ticket, content)
        return self.complete(info.id, None, channel)

    def get(self, file_id: str) -> FileInfo:
        try:
            return self._files[file_id]
        except KeyError:
            raise SlackError("file_not_found") from None

    def content(self, file_id: str) -> bytes:
        return self._bytes[self.get(file_id).id]
