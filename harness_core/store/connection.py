"""Connections to Redis: how long a call may take, how often it is repeated, what is refused at start-up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from harness_core.errors import SchemaTooNew, StoreMisconfigured, StoreUnavailable
from harness_core.store.keys import META

T = TypeVar("T")

Client = Any
"""A :class:`redis.asyncio.Redis` that returns bytes.

Its stubs type every reply as ``bytes | str`` and more, whatever ``decode_responses`` says, so they would only
demand casts; each repository states what comes back.
"""

SCHEMA = 1
MINIMUM = (7, 0)

_PAUSE = 0.2  # seconds between two tries of a read that waits for Redis


def connect(url: str, *, retries: int = 3, connections: int = 64) -> Client:
    """A client for ``url``. Repeats are safe: every write carries an operation id or is idempotent.

    redis-py's own default of ten retries would hold a caller for up to 40 s, so it is set here. There is no
    socket time limit: with one, redis-py sends every command through ``asyncio.wait_for``, which on Python
    3.11 can swallow a cancellation (https://github.com/python/cpython/issues/86296), and a run that
    was stopped would go on. :func:`store_errors` limits each call instead.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=5,
        socket_timeout=None,
        socket_connect_timeout=2.0,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries),
        retry_on_error=[ConnectionError, TimeoutError],
    )
    return Redis.from_pool(pool)


class store_errors:  # noqa: N801  # read as a statement: async with store_errors()
    """Ends a call after ``limit`` seconds, and turns what the client raises into one error of ours.

    A class: a generator that waits here is closed by ``asyncio.run`` at its end while calls that nobody waits for
    are still under way, and they would end with "generator didn't stop after athrow()".

    :raises StoreUnavailable: without addresses or passwords.
    """

    def __init__(self, limit: float = 5.0) -> None:
        self._limit = limit
        self._timeout = asyncio.timeout(limit)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise self._unavailable(late) from late
        if isinstance(error, (RedisError, OSError)):
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        what = f"{type(error).__name__}: {error}" if str(error) else f"no answer within {self._limit:g} s"
        return StoreUnavailable(f"Redis did not do what was asked ({what})")


class Patience:
    """Lets reads outlast an outage of at most ``seconds``; whoever answers again starts that time anew."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    async def __call__(self, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` returns, as soon as it can be read.

        :raises StoreUnavailable: the outage lasts too long.
        """
        while True:
            try:
                answer = await read()
            except StoreUnavailable:
                now = time.monotonic()
                self._since = now if self._since is None else self._since
                if now - self._since >= self._seconds:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                self._since = None
                return answer


async def verify(client: Client) -> None:
    """Refuses a server that is too old or that would throw data away.

    :raises StoreMisconfigured: with what to change.
    """
    info = await client.info("server")
    version = str(info.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM:
        raise StoreMisconfigured(f"Redis {version} is too old: 7.0 or newer (or Valkey 7.2) is needed.")
    try:
        policy = (await client.config_get("maxmemory-policy")).get("maxmemory-policy", "noeviction")
    except (ResponseError, NoPermissionError):
        return  # managed services forbid CONFIG; they document their policy
    if policy != "noeviction":
        raise StoreMisconfigured(
            f"Redis evicts data under memory pressure (maxmemory-policy {policy}): "
            "set it to noeviction, or runs and approvals could vanish."
        )


async def pin_meta(client: Client, partitions: int) -> int:
    """The number of partitions of this store, pinned by whoever opened it first.

    :raises SchemaTooNew: the data belongs to a newer release.
    """
    await client.hsetnx(META, "schema", str(SCHEMA))
    await client.hsetnx(META, "partitions", str(partitions))
    meta: Mapping[bytes, Any] = await client.hgetall(META)
    schema = int(meta[b"schema"])
    if schema > SCHEMA:
        raise SchemaTooNew(
            f"The data in Redis has schema {schema}, this release knows {SCHEMA}: run the newer release."
        )
    return int(meta[b"partitions"])
