"""GET /orders/{order_id}/cancellation-eligibility: what stands against a cancel, and what would be given back."""

from cancel_core import queries, wiring
from cancel_core.api import Answer, ApiRequest, api

wiring.orders()


@api
def handler(request: ApiRequest) -> Answer:
    customer_id = request.customer_id(wiring.customer_claim())
    return Answer(queries.check_eligibility(wiring.orders(), wiring.policies(), request.order_id, customer_id))
