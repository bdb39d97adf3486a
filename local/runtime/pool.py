"""The environments of one function: chooses an idle one, and decides when to start another."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

from local.guard import Guard
from local.runtime.environment import Environment
from local.runtime.function import Function, Result, TooManyRequests
from local.runtime.invocation import failure

INIT_SECONDS = 30.0
# On a machine with few processors, concurrent cold starts only slow each other down.
_STARTING = threading.BoundedSemaphore(max(2, (os.cpu_count() or 2) // 2))


class Pool:
    """The environments of one function. Callers take the most recently used idle one; while some wait, more are
    started."""

    def __init__(
        self, function: Function, extra: Mapping[str, str], log: Callable[[str, str], None], guard: Guard | None
    ) -> None:
        self.function = function
        self._extra, self._log, self._guard = extra, log, guard
        self._changed = threading.Condition()
        self._idle: list[Environment] = []
        self._environments: set[Environment] = set()
        self._failures: list[Result] = []
        self._waiting = 0  # callers without an environment
        self._starting = 0
        self._stopped = False

    def take(self, patience: float) -> Environment | Result:
        """An idle environment, or why none could be started. Raises TooManyRequests after ``patience`` seconds."""
        until, fresh = time.monotonic() + patience, True
        with self._changed:
            self._waiting += 1
            try:
                while not self._stopped:
                    if self._idle:
                        return self._idle.pop()
                    if self._failures:
                        return self._failures.pop()
                    if self._environments and fresh:
                        # One that has just answered will ask for more soon: cheaper than a cold start.
                        fresh = False
                        self._changed.wait(min(patience, 0.03))
                        continue
                    if (
                        self._starting < self._waiting
                        and len(self._environments) + self._starting < self.function.concurrency
                    ):
                        self._starting += 1
                        threading.Thread(target=self._start, daemon=True).start()
                    if not self._changed.wait(until - time.monotonic()):
                        break
                raise TooManyRequests(self.function.name)
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._failures.clear()

    def _start(self) -> None:
        with _STARTING:
            environment, failed = None, None
            try:
                with self._changed:
                    wanted = not self._stopped and (self._waiting > 0 or not self._environments)
                if wanted:
                    environment = Environment(
                        self.function, self._extra, self._log, self._guard, idle=self.free, lost=self.lost
                    )
                    with self._changed:
                        self._environments.add(environment)
                        stopped = self._stopped
                    environment.open()
                    if stopped:  # meanwhile, and without this one
                        environment.kill()
                    if not environment.init_over.wait(INIT_SECONDS):
                        failed = failure(
                            "none", "Sandbox.Timedout", f"Initialisation took more than {INIT_SECONDS:.0f} seconds"
                        )
                        environment.kill()
                    elif not environment.was_ready and not environment.unwanted:
                        failed = environment.init_error
            except OSError as error:
                failed = failure("none", "Runtime.InvalidEntrypoint", str(error))
            with self._changed:
                self._starting -= 1
                if environment and environment.ended:
                    self._environments.discard(environment)
                if failed and self._waiting:
                    self._failures.append(failed)
                if self._stopped and environment:
                    environment.kill()
                self._changed.notify_all()

    def warm(self) -> None:
        """Start one environment, unless there is one; returns when it is ready or has failed."""
        with self._changed:
            if self._environments or self._starting:
                return
            self._starting += 1
        self._start()

    def free(self, environment: Environment) -> None:
        """It asks for work. One that is being killed may have asked just before."""
        with self._changed:
            if not environment.unwanted and not environment.ended:
                self._idle.append(environment)
                self._changed.notify()

    def lost(self, environment: Environment) -> None:
        with self._changed:
            self._environments.discard(environment)
            if environment in self._idle:
                self._idle.remove(environment)
            self._changed.notify_all()

    def kill(self, trace: str | None = None) -> int:
        """Kill every environment, to simulate a failure; returns how many. `trace`: only the one that processes the
        invocation with this trace header."""
        with self._changed:
            environments = [one for one in self._environments if trace is None or one.processes(trace)]
            # A process takes a moment to end; no caller gets one that is being killed.
            self._idle = [one for one in self._idle if one not in environments]
            # One that was starting has not failed: its caller gets another.
            for environment in environments:
                environment.unwanted = True
        for environment in environments:
            environment.kill()
        return len(environments)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self.kill()
