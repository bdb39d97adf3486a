"""Cancels orders before they ship, and refunds each payment once.

`domain` the rules and sums, `services` the use cases, `adapters` the outside, `entrypoints` where invocations come in.
`parts` makes the adapters, `wiring` gives them to the use cases, `errors` names what can go wrong, `telemetry` logs and
counts. docs/files.md walks through one cancel and one refund.
"""
