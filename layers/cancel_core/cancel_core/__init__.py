"""Cancels orders before they ship, and refunds each payment once.

`domain` has the rules and amounts, `services` the use cases, `adapters` the access to external services, `entrypoints`
the parsing of invocations. `parts` creates the adapters, `wiring` passes them to the use cases, `errors` names what can
go wrong, `telemetry` logs and counts. docs/files.md walks through one cancel and one refund.
"""

from __future__ import annotations

import gc
import os

# Init creates some hundred thousand objects that stay. The garbage collector would search them again and again, which
# takes a tenth of a cold start.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def init_ends() -> None:
    """Turns the garbage collector on. The decorators of the handlers, which are last in each function's init, call it.

    It never searches what exists now, or the first request would pay for it.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
