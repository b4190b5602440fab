"""Checkpoints of the graphs: in the store, or for one process in memory or in a file."""

from harness_core.runtime.checkpointer.saver import FENCE, FencedSaver
from harness_core.runtime.checkpointer.savers import AnySaver, Savers, engine_saver

__all__ = ["FENCE", "AnySaver", "FencedSaver", "Savers", "engine_saver"]
