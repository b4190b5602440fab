"""One counter that grows with everything that happens, and a way to wait for it to grow."""

import asyncio


class Pulse:
    """Every change of the world or the ledger beats once; long polls and streams wait for the next beat."""

    def __init__(self) -> None:
        self.count = 0
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        self.count += 1
        self._wake()

    def close(self) -> None:
        """Wake every waiter for good; later waits return at once."""
        self.closed = True
        self._wake()

    async def wait(self, seen: int, within: float) -> int:
        """The count once it is above `seen`, or after `within` seconds, or when the playground stops."""
        deadline = asyncio.get_running_loop().time() + within
        while self.count <= seen and not self.closed:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or not await self._next(left):
                break
        return self.count

    async def pause(self, seconds: float) -> None:
        """Sleep, but not past the end of the playground."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self.closed and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await self._next(left)

    async def _next(self, within: float) -> bool:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout(within):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return True

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
