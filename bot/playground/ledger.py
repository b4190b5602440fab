"""What went over the wire: every Web API call and every delivery, in order."""

from dataclasses import replace

from bot.playground.pulse import Pulse
from bot.playground.records import ApiCall, Delivery

ANSWER_CHARS = 4_000


class Ledger:
    """Append-only; numbers start at 1 and have no gaps."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self.calls: list[ApiCall] = []
        self.deliveries: list[Delivery] = []

    def call(self, call: ApiCall) -> None:
        self.calls.append(replace(call, number=len(self.calls) + 1))
        self._pulse.beat()

    def delivery(self, delivery: Delivery) -> None:
        body = delivery.body[:ANSWER_CHARS]
        self.deliveries.append(replace(delivery, number=len(self.deliveries) + 1, body=body))
        self._pulse.beat()

    def clear(self) -> None:
        self.calls.clear()
        self.deliveries.clear()
        self._pulse.beat()
