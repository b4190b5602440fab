"""Counts what tools do to the world, in a process of its own that nothing here kills.

``python tests/fleet/effects_server.py`` prints its address. ``POST /effects`` with ``{"name", "key"}`` is one effect: it
counts from the moment it arrives, and is answered when its name is not held. ``PUT`` and ``DELETE /held/NAME`` close and
open that gate; ``GET /effects`` returns all, oldest first, with the seconds (Unix time) at which they arrived.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Ledger:
    """The effects so far, and the names whose effects are answered late."""

    def __init__(self) -> None:
        self.effects: list[dict[str, Any]] = []
        self._held: set[str] = set()
        self._changed = threading.Condition()

    def note(self, name: str, key: str) -> None:
        """Counts one effect; returns when its gate is open."""
        with self._changed:
            self.effects.append({"name": name, "key": key, "at": time.time()})
            self._changed.wait_for(lambda: name not in self._held)

    def hold(self, name: str, *, held: bool) -> None:
        with self._changed:
            (self._held.add if held else self._held.discard)(name)
            self._changed.notify_all()


LEDGER = Ledger()


class Handler(BaseHTTPRequestHandler):
    """The three paths."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        LEDGER.note(body["name"], body["key"])
        self._answer({"ok": True})

    def do_PUT(self) -> None:
        self._hold(held=True)

    def do_DELETE(self) -> None:
        self._hold(held=False)

    def do_GET(self) -> None:
        self._answer(list(LEDGER.effects))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's
        """Nobody reads it."""

    def _hold(self, *, held: bool) -> None:
        LEDGER.hold(self.path.rpartition("/")[2], held=held)
        self._answer({"ok": True})

    def _answer(self, body: Any) -> None:
        raw = json.dumps(body).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            pass  # who asked was killed meanwhile; the effect counts all the same


class Server(ThreadingHTTPServer):
    """Takes many connections at once: the standard library's queue holds five, and the sixth waits seconds."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection broke: whoever asked was killed."""


def main() -> None:
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    # It ends with this pipe, so a test run that was killed leaves nothing behind.
    while os.read(0, 1024):
        pass


if __name__ == "__main__":
    main()
