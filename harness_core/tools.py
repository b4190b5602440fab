"""Tools that come with the library. A workspace names them as ``python: harness_core.tools:NAME``.

``remember`` and ``recall`` use the long-term store; see :mod:`harness_core.runtime.memory.tools`.
"""

from __future__ import annotations

from harness_core.runtime.memory.tools import recall, remember

__all__ = ["recall", "remember"]
