"""Cancels orders before they ship, and refunds each payment once.

`domain` has the rules and amounts, `services` the use cases, `adapters` the access to external services, `entrypoints`
the parsing of invocations. `parts` creates the adapters, `wiring` passes them to the use cases, `errors` names what can
go wrong, `telemetry` logs and counts. docs/files.md walks through one cancel and one refund.
"""
