"""What went over the wire: every Web API call and every delivery, in order."""

from collections.abc import Callable
from dataclasses import replace

from bot.playground.pulse import Pulse
from bot.playground.records import ApiCall, Delivery

ANSWER_CHARS = 4_000


class Ledger:
    """Append-only; numbers start at 1 and have no gaps. Listeners hear of each line as it is written."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._listeners: list[Callable[[ApiCall | Delivery], None]] = []
        self.calls: list[ApiCall] = []
        self.deliveries: list[Delivery] = []

    def subscribe(self, listener: Callable[[ApiCall | Delivery], None]) -> None:
        self._listeners.append(listener)

    def call(self, call: ApiCall) -> None:
        self.calls.append(replace(call, number=len(self.calls) + 1))
        self._tell(self.calls[-1])

    def delivery(self, delivery: Delivery) -> None:
        body = delivery.body[:ANSWER_CHARS]
        self.deliveries.append(replace(delivery, number=len(self.deliveries) + 1, body=body))
        self._tell(self.deliveries[-1])

    def clear(self) -> None:
        self.calls.clear()
        self.deliveries.clear()
        self._pulse.beat()

    def _tell(self, line: ApiCall | Delivery) -> None:
        for listener in self._listeners:
            listener(line)
        self._pulse.beat()
