"""Cancels orders before they ship, and refunds each payment once.

`domain` has the rules and amounts, `services` the use cases, `adapters` the access to external services, `entrypoints`
the parsing of invocations. `parts` creates the adapters, `wiring` passes them to the use cases, `errors` names what can
go wrong, `telemetry` logs and counts, `cold_start` shortens each function's init. docs/files.md walks through one
cancel and one refund.
"""

from __future__ import annotations

import os

from cancel_core.cold_start import init_begins

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    init_begins()
