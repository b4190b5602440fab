"""Checkpoints of the graphs in the store."""

from harness_core.runtime.checkpointer.saver import FENCE, FencedSaver

__all__ = ["FENCE", "FencedSaver"]
