"""Faults for the next requests. The package's documentation describes the kinds."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from local.stripe.errors import Answer, answer, declined, internal, key_in_use, too_many, unavailable

Kind = Literal["500", "503", "429", "409", "402", "slow", "lost", "dropped", "late", "json"]
KINDS = get_args(Kind)
LONGEST_WAIT = 3600.0
"""A delayed request is carried out after this time at the latest, even if no test triggers it."""


@dataclass
class Fault:
    """`path` is a regular expression for the whole path; `contains` must occur in the path, the query or the body.

    `seconds`: how long "slow" waits, and after how long "late" lands by itself. `done`: a "500" after the work was
    done, not before. `hang_up`: whether "late" breaks the connection off at once. `saved`: whether the answer of "json"
    is saved under the request's key.
    """

    kind: Kind
    method: str = ""
    path: str = ".*"
    contains: str = ""
    times: int = 1
    skip: int = 0
    seconds: float | None = None
    done: bool = False
    hang_up: bool = False
    saved: bool = False
    status: int = 400
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {self.kind!r}")
        try:
            self._matches = re.compile(self.path).fullmatch
        except re.error as error:
            raise ValueError(f"{self.path!r} is no regular expression: {error}") from error

    def matches(self, method: str, path: str, text: str) -> bool:
        return self.method in ("", method) and bool(self._matches(path)) and self.contains in text

    def instead(self, key: str) -> Answer | None:
        """The response of a fault that comes before the endpoint begins."""
        match self.kind:
            case "503":
                return unavailable().answer()
            case "429":
                return too_many().answer()
            case "409":
                return key_in_use(key).answer()
            case "json" if not self.saved:
                return self.given()
        return None

    def after_all(self) -> Answer | None:
        """The response of a fault that is saved as if the endpoint had returned it."""
        match self.kind:
            case "500":
                return internal().answer()
            case "402":
                return declined().answer()
            case "json":
                return self.given()
        return None

    def given(self) -> Answer:
        given = answer(self.status, self.body)
        return Answer(given.status, given.body, self.headers)


@dataclass
class Late:
    """A delayed request. `off`: it is never carried out."""

    told: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)
    off: bool = False


class Faults:
    """The pending faults, in order. The caller holds the server's lock, except for `wait`."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.late: list[Late] = []

    def take(self, method: str, path: str, text: str) -> Fault | None:
        for fault in self.planned:
            if not fault.matches(method, path, text):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.planned.remove(fault)
            return fault
        return None

    def keep_back(self, fault: Fault | None) -> Late | None:
        """Registers a request that is to wait. Then call `wait` for it, without the lock."""
        if fault is None or fault.kind not in ("slow", "late"):
            return None
        late = Late()
        self.late.append(late)
        return late

    def wait(self, fault: Fault, late: Late, hang_up: Callable[[], None]) -> None:
        if fault.kind == "late" and fault.hang_up:
            hang_up()
        late.told.wait(LONGEST_WAIT if fault.seconds is None else fault.seconds)

    def end(self, late: Late) -> None:
        if late in self.late:
            self.late.remove(late)
        late.landed.set()

    def clear(self) -> None:
        """Removes all faults; delayed requests are never carried out."""
        self.planned = []
        for late in self.late:
            late.off = True
            late.told.set()
        self.late = []
