"""GET /orders: the caller's orders, newest first."""

from cancel_core import queries, wiring
from cancel_core.api import Answer, ApiRequest, api

wiring.orders()


@api
def handler(request: ApiRequest) -> Answer:
    customer_id = request.customer_id(wiring.customer_claim())
    return Answer(
        queries.list_orders(wiring.orders(), wiring.policies(), customer_id, request.limit(), request.query("cursor"))
    )
