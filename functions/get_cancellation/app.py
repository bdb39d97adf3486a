"""GET /orders/{order_id}/cancellation: the cancellation of one of the caller's orders, and how far its refund is."""

from cancel_core import queries, wiring
from cancel_core.api import Answer, ApiRequest, api

wiring.orders()


@api
def handler(request: ApiRequest) -> Answer:
    customer_id = request.customer_id(wiring.customer_claim())
    return Answer(queries.get_cancellation(wiring.orders(), request.order_id, customer_id))
