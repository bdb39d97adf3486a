"""All functions of a stack, by name."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.guard import Guard
from local.output import say
from local.runtime.function import MAX_PAYLOAD, Function, Result
from local.runtime.invocation import Invocation, failure
from local.runtime.pool import Pool


def _print(name: str, line: str) -> None:
    say(f"{name} | {line}", sys.stderr)


class Runtime:
    """All functions of a stack, by name.

    ``extra_environment``: function name -> variables on top of its own (fault injection, tests).
    ``log(name, line)``: where a function's output goes; by default stderr, with the function's name in front.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        extra_environment: Mapping[str, Mapping[str, str]] | None = None,
        log: Callable[[str, str], None] = _print,
        guard: Guard | None = None,
    ) -> None:
        extra = extra_environment or {}
        self.functions = {function.name: function for function in functions}
        self._pools = {
            name: Pool(function, extra.get(name, {}), log, guard) for name, function in self.functions.items()
        }

    def invoke(self, name: str, event: Any, *, patience: float = 300.0) -> Result:
        """Run the function on ``event`` (anything JSON, or bytes of JSON) and wait for its answer.

        Never raises for what the function does: see Result. ``patience``: seconds to wait for a free environment.
        Raises KeyError for an unknown name, TooManyRequests when no environment became free.
        """
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        pool, request_id = self._pools[name], str(uuid.uuid4())
        if len(payload) > MAX_PAYLOAD:
            return failure(request_id, "RequestTooLargeException", "Request must be smaller than 6 MB")
        until = time.monotonic() + patience
        while True:
            environment = pool.take(until - time.monotonic())
            if isinstance(environment, Result):
                return environment
            result = environment.invoke(Invocation(request_id, payload, pool.function.timeout, pool.function.arn))
            if result is not None:
                return result

    def warm(self, name: str) -> None:
        """Start the function's first environment ahead of the first invocation; returns when it is ready or has
        failed."""
        self._pools[name].warm()

    def kill(self, name: str, trace: str | None = None) -> int:
        """Kill the function's environments immediately, to simulate a failure; returns how many there were. `trace`:
        only the one that processes the invocation with this trace header."""
        return self._pools[name].kill(trace)

    def stop(self) -> None:
        for pool in self._pools.values():
            pool.stop()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
