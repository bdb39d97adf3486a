"""GET /orders/{order_id}: one of the caller's orders."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import order_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

get_order = wiring.get_order()


@api
def handler(request: ApiRequest) -> Answer:
    caller = request.caller(wiring.customer_claim(), wiring.find_guest)
    order, policy = get_order(request.order_id_of(caller), caller)
    return Answer(order_view(order, policy, request.received))
