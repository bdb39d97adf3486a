"""The rules of cancelling an order, the cancel, the refund, and the adapters around them.

Pure, without AWS, clock or environment: `order`, `policy`, `rules`, `refund_plan`, `changes`, `events`, `views`.
Use cases: `queries`, `cancel`, `refund`, `announce`. Adapters: `tables`, `bus`, `providers`.
The edge: `api`, `telemetry`, `wiring`, `clock`.
"""
