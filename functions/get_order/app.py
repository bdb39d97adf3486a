"""GET /orders/{order_id}: one of the caller's orders."""

from cancel_core import queries, wiring
from cancel_core.api import Answer, ApiRequest, api

wiring.orders()


@api
def handler(request: ApiRequest) -> Answer:
    customer_id = request.customer_id(wiring.customer_claim())
    return Answer(queries.get_order(wiring.orders(), wiring.policies(), request.order_id, customer_id))
