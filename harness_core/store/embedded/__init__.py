"""The Redis that comes with the product: one server per data folder, shared by every process that uses it."""

from harness_core.store.embedded.binary import ServerBinary, find_server
from harness_core.store.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "ServerBinary", "find_server"]
