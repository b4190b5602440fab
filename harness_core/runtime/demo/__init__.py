"""The built-in model: deterministic, offline, and good enough to try everything without a key."""

from harness_core.runtime.demo.model import DemoChatModel

__all__ = ["DemoChatModel"]
