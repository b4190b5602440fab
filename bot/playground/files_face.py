"""Bytes in and out: the second step of an upload, and `url_private` downloads."""

from aiohttp import web

from bot.playground.config import PlaygroundConfig
from bot.playground.errors import SlackError
from bot.playground.world import World


class FilesFace:
    def __init__(self, config: PlaygroundConfig, world: World) -> None:
        self._config = config
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/upload/v1/{ticket}", self._upload),
            web.get("/files/{file_id}/{name}", self._download),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        """The raw body, or the `file` (or any one) part of a form."""
        content = (
            await _form_file(request)
            if request.content_type == "multipart/form-data"
            else await request.read()
        )
        try:
            info = self._world.files.receive(request.match_info["ticket"], content)
        except SlackError as refusal:
            return web.Response(status=400, text=str(refusal))
        return web.Response(text=f"OK - {info.size}")

    async def _download(self, request: web.Request) -> web.Response:
        """As the platform does, only with the app's token, and never for a browser to interpret."""
        if request.headers.get("Authorization") != f"Bearer {self._config.bot_token}":
            return web.Response(status=403, text="A file needs the app's token in the Authorization header.")
        try:
            info = self._world.files.get(request.match_info["file_id"])
        except SlackError as refusal:
            return web.Response(status=404, text=str(refusal))
        return web.Response(
            body=self._world.files.content(info.id),
            content_type=info.mimetype,
            headers={"Content-Disposition": "attachment"},
        )


async def _form_file(request: web.Request) -> bytes:
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""
