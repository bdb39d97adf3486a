"""GET /orders/{order_id}/cancellation: the cancellation of one of the caller's orders, with its refund's state."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import cancellation_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

get_cancellation = wiring.get_cancellation()


@api
def handler(request: ApiRequest) -> Answer:
    caller = request.caller(wiring.customer_claim(), wiring.find_guest)
    order, cancellation = get_cancellation(request.order_id_of(caller), caller)
    return Answer(cancellation_view(order, cancellation))
