"""What agents remember beyond a conversation: the long-term store, and how it is searched."""

from harness_core.runtime.memory.embeddings import BoundEmbeddings, EmbeddingsUnusable, load_embeddings
from harness_core.runtime.memory.shelf import ProcessShelf, Shelf
from harness_core.runtime.memory.store import LongTermMemory

__all__ = [
    "BoundEmbeddings",
    "EmbeddingsUnusable",
    "LongTermMemory",
    "ProcessShelf",
    "Shelf",
    "load_embeddings",
]
