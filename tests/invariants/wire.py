"""The calls that one pass of the product makes to the outside, and the fault that one of them meets."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

Kind = Literal["crash before", "crash after", "throttled", "unreachable", "answer lost", "sent twice", "meanwhile"]
KINDS: tuple[Kind, ...] = (  # but for what others do meanwhile
    "crash before",
    "crash after",
    "throttled",
    "unreachable",
    "answer lost",
    "sent twice",
)
LASTING = {"throttled", "unreachable"}
BUSY = b'{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "busy"}'


class Crash(BaseException):
    """The process ends here."""


class CannotSay(Exception):
    """A payment provider gives no answer, or none that says what became of a request."""


@dataclass(frozen=True)
class Fault:
    """What befalls the call number `at` of a pass; `calls` in a row for what lasts.

    `other` is what somebody else does meanwhile, and `dice` how. After some faults a day goes by before the next try.
    """

    kind: Kind
    at: int
    calls: int = 1
    other: str = ""
    dice: int = 0

    @property
    def takes_a_day(self) -> bool:
        return self.kind in {"crash after", "answer lost"} and self.calls % 2 == 0

    def __repr__(self) -> str:
        lasting = f" for {self.calls}" if self.kind in LASTING else ""
        return f"<{self.kind}{lasting}{': ' + self.other if self.kind == 'meanwhile' else ''} at call {self.at}>"


class Wire:
    """Counts all external calls of the current pass, and determines the fault of each."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self.meanwhile: Callable[[Fault], None] = lambda _: None
        self.a_day_goes_by: Callable[[], None] = lambda: None
        self._fault: Fault | None = None
        self._calls = 0
        self._a_day = False

    def begin(self, fault: Fault | None) -> None:
        self._fault, self._calls = fault, 0

    def end(self) -> None:
        self._fault = None
        if self._a_day:
            self.a_day_goes_by()
        self._a_day = False

    def call(self) -> Kind | None:
        """Before each call: what befalls it. A crash before it, and what others do before it, happen in here."""
        self._calls += 1
        fault = self._fault
        if fault is None or self._calls < fault.at:
            return None
        if fault.kind not in LASTING or self._calls + 1 >= fault.at + fault.calls:
            self._fault = None
        self.tally[f"fault: {fault.kind}"] += 1
        if fault.kind == "crash before":
            raise Crash
        if fault.kind == "meanwhile":
            self.meanwhile(fault)
        self._a_day = fault.takes_a_day
        return fault.kind


class _Body(io.BytesIO):
    def stream(self) -> Any:
        yield self.read()


def attach(client: Any, wire: Wire) -> None:
    """Has the calls of a client of DynamoDB go over the wire."""
    current: list[Kind | None] = [None]

    def before(request: Any, **_: Any) -> AWSResponse | None:
        current[0] = kind = wire.call()
        if kind == "throttled":
            return AWSResponse(request.url, 400, HTTPHeaders(), _Body(BUSY))
        if kind == "unreachable":
            raise ConnectTimeoutError(endpoint_url=request.url)
        return None

    def again(**_: Any) -> float | None:
        twice, current[0] = current[0] == "sent twice", None if current[0] == "sent twice" else current[0]
        return 0.0 if twice else None

    def after(**_: Any) -> None:
        if current[0] == "crash after":
            raise Crash
        if current[0] == "answer lost":
            raise ReadTimeoutError(endpoint_url="the table")

    client.meta.events.register("before-send.*.*", before)
    client.meta.events.register("response-received.*.*", after)
    # The client's own retries wait for seconds; this one stands for the first of them.
    client.meta.events.register_first("needs-retry.*.*", again)


def over(wire: Wire, call: Callable[[], Any]) -> Any:
    """A call of a payment provider over the wire."""
    kind = wire.call()
    if kind in LASTING:
        raise CannotSay(f"the provider is {kind}")
    answer = call()
    if kind == "crash after":
        raise Crash
    if kind == "answer lost":
        raise CannotSay("the provider did not answer in time")
    return call() if kind == "sent twice" else answer
