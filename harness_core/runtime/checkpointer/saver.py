"""The checkpointer that LangGraph talks to: fenced, sealed, and loud about anything that is missing."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_id,
    get_checkpoint_metadata,
)

from harness_core.errors import StaleFence, StoreError
from harness_core.models import Fence
from harness_core.runtime.checkpointer.archive import Archive
from harness_core.runtime.checkpointer.envelope import Envelope, strict_serde
from harness_core.runtime.checkpointer.lineage import delta_history
from harness_core.runtime.checkpointer.record import Header
from harness_core.runtime.checkpointer.upkeep import copy_thread, delete_runs, prune_tree
from harness_core.store import CheckpointRepository, Idle, Removed, Seal

FENCE = "fence"
"""The key in a config's ``configurable`` that carries the :class:`~harness_core.models.Fence`."""


class FencedSaver(BaseCheckpointSaver[str]):
    """Keeps checkpoints in the store. Asynchronous only.

    With ``require_fence`` every write must show the fence of a live lease in ``configurable.fence``; it
    travels into subgraphs with the rest of the config. Without it, a fence is checked when there is one:
    for libraries that use the saver in one process. ``tenant`` names whose threads these are where no
    fence says so.
    """

    def __init__(
        self, checkpoints: CheckpointRepository, seal: Seal, *, require_fence: bool, tenant: str = ""
    ) -> None:
        super().__init__(serde=strict_serde())
        self._checkpoints = checkpoints
        self._seal = seal
        self._tenant = tenant
        self._require_fence = require_fence

    @property
    def requires_fence(self) -> bool:
        return self._require_fence

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The addressed checkpoint, or the thread's newest.

        :raises StoreError: something of it is missing or unreadable; never an empty history instead.
        """
        archive = self._archive(config)
        addressed = get_checkpoint_id(config)
        checkpoint_id = addressed or await archive.latest()
        if checkpoint_id is None:
            return None
        header = (await archive.headers([checkpoint_id])).get(checkpoint_id)
        if header is not None:
            return await self._tuple(archive, checkpoint_id, header, config)
        if addressed is None:
            raise StoreError(f"thread {archive.thread_id}: checkpoint {checkpoint_id} is listed but missing")
        return None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  # the name is the base class's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Checkpoints of a thread (all its namespaces unless one is named) or of all, newest first.

        Within a namespace that is the order in which they were written, else the times in their ids.
        """
        only = get_checkpoint_id(config) if config else None
        bound = get_checkpoint_id(before) if before else None
        archives = await self._archives(config)
        listed = [
            (checkpoint_id, archive)
            for archive in archives
            for checkpoint_id in await archive.ids(before=bound)
            if only is None or checkpoint_id == only
        ]
        if len(archives) > 1:
            listed.sort(key=lambda item: item[0], reverse=True)
        for checkpoint_id, archive in listed:
            if limit is not None and limit <= 0:
                return
            header = (await archive.headers([checkpoint_id])).get(checkpoint_id)
            if header is not None and _matches(header.metadata, filter):
                limit = None if limit is None else limit - 1
                yield await self._tuple(archive, checkpoint_id, header, config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """:raises StaleFence: the fence is missing where one is required, or no longer the current one."""
        fence, archive = self._fence(config), self._archive(config)
        values = checkpoint["channel_values"]
        header = Header.of(checkpoint, get_checkpoint_metadata(config, metadata), get_checkpoint_id(config))
        fresh = {
            (channel, str(version)): values[channel]
            for channel, version in new_versions.items()
            if channel in values
        }
        await archive.put(checkpoint["id"], header, fresh, fence)
        return _address(archive, checkpoint["id"], fence)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """:raises StaleFence: the fence is missing where one is required, or no longer the current one."""
        fence, archive = self._fence(config), self._archive(config)
        checkpoint_id = str(config["configurable"]["checkpoint_id"])
        await archive.put_writes(checkpoint_id, writes, task_path, task_id, fence)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What the ancestors of a checkpoint wrote to these channels, since each was last stored whole."""
        if not channels:
            return {}
        return await delta_history(self._archive(config), get_checkpoint_id(config), channels)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._checkpoints.delete_thread(thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Removes what these runs stored, but for ancestors that the history of a later one rests on."""
        if run_ids:
            for archive in await self._archives(None):
                await delete_runs(archive, frozenset(run_ids))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copies every checkpoint, resealed for its new place.

        :raises StaleFence: this saver writes only under a fence, and a copy has none.
        """
        if self._require_fence:
            raise StaleFence(f"thread {target_thread_id}: a copy cannot be made under a run's lease")
        for ns in await self._checkpoints.namespaces(source_thread_id):
            await copy_thread(
                self._place(self._tenant, source_thread_id, ns),
                self._place(self._tenant, target_thread_id, ns),
            )

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """``keep_latest`` keeps the newest per namespace and what its values rest on; ``delete`` nothing."""
        if strategy not in {"keep_latest", "delete"}:
            raise ValueError(f"strategy is keep_latest or delete, not {strategy}")
        for thread_id in thread_ids:
            if strategy == "delete":
                await self.adelete_thread(thread_id)
            else:
                await self.prune_thread(thread_id, keep=1)

    async def prune_thread(
        self, thread_id: str, *, keep: int, tenant: str | None = None, idle: Idle | None = None
    ) -> Removed:
        """Keeps the ``keep`` newest checkpoints of a thread and what their values rest on.

        What a run needs that waits for people, or that another worker will take over, is the newest checkpoint and
        the subgraphs that it has not come back from: both stay, so this may be done at any time, also while the
        thread is at work. Subgraphs that came back are forgotten when the thread is done.

        :raises ValueError: ``keep`` is below 1.
        :raises StaleFence: ``idle`` was given and the thread is at work again; what is left can be read as before.
        """
        if keep < 1:
            raise ValueError(f"a thread keeps at least its newest checkpoint, not {keep}")
        whose = self._tenant if tenant is None else tenant
        namespaces = await self._checkpoints.namespaces(thread_id)
        inner = [self._place(whose, thread_id, ns) for ns in namespaces if ns]
        return await prune_tree(self._place(whose, thread_id, ""), inner, keep, idle)

    def get_next_version(self, current: str | float | None, channel: None) -> str:  # noqa: ARG002  # the base class's
        """Sorts after ``current``. Random at its end, so two branches never share a stored value."""
        number = 0 if current is None else int(str(current).partition(".")[0])
        return f"{number + 1:016d}.{secrets.token_hex(8)}"

    async def _tuple(
        self, archive: Archive, checkpoint_id: str, header: Header, config: RunnableConfig | None
    ) -> CheckpointTuple:
        fence = config["configurable"].get(FENCE) if config else None
        values = await archive.values(header)
        checkpoint: Any = {**header.checkpoint, "channel_values": values}
        return CheckpointTuple(
            config=_address(archive, checkpoint_id, fence),
            checkpoint=checkpoint,
            metadata=header.metadata,
            parent_config=_address(archive, header.parent, fence) if header.parent else None,
            pending_writes=await archive.writes(checkpoint_id),
        )

    async def _archives(self, config: RunnableConfig | None) -> list[Archive]:
        if config is not None and "checkpoint_ns" in config["configurable"]:
            return [self._archive(config)]
        if config is not None:
            fence = config["configurable"].get(FENCE)
            tenant, threads = _tenant_of(fence, self._tenant), [str(config["configurable"]["thread_id"])]
        else:
            tenant, threads = self._tenant, await self._checkpoints.threads()
        return [
            self._place(tenant, thread_id, ns)
            for thread_id in threads
            for ns in await self._checkpoints.namespaces(thread_id)
        ]

    def _archive(self, config: RunnableConfig) -> Archive:
        configurable = config["configurable"]
        return self._place(
            _tenant_of(configurable.get(FENCE), self._tenant),
            str(configurable["thread_id"]),
            configurable.get("checkpoint_ns", ""),
        )

    def _place(self, tenant: str, thread_id: str, ns: str) -> Archive:
        return Archive(
            checkpoints=self._checkpoints,
            # Made each time: LangGraph copies a saver and gives the copy another serializer.
            envelope=Envelope(self._seal, self.serde),
            tenant=tenant,
            thread_id=thread_id,
            ns=ns,
        )

    def _fence(self, config: RunnableConfig) -> Fence | None:
        fence = config["configurable"].get(FENCE)
        thread_id = str(config["configurable"]["thread_id"])
        if isinstance(fence, Fence):
            if fence.thread_id != thread_id:
                raise StaleFence(f"run {fence.run_id}: its lease is not for thread {thread_id}")
            return fence
        if self._require_fence:
            raise StaleFence(f"thread {thread_id}: nothing is written without the fence of a live lease")
        return None


def _tenant_of(fence: Any, default: str) -> str:
    return fence.tenant if isinstance(fence, Fence) else default


def _address(archive: Archive, checkpoint_id: str, fence: Any) -> RunnableConfig:
    """The config of a checkpoint. It keeps the fence: LangGraph reads more of the thread by it."""
    configurable = {
        "thread_id": archive.thread_id,
        "checkpoint_ns": archive.ns,
        "checkpoint_id": checkpoint_id,
    }
    return {"configurable": configurable if fence is None else {**configurable, FENCE: fence}}


def _matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    return all(metadata.get(key) == value for key, value in (wanted or {}).items())
