"""DELETE /orders/{order_id}/cancellation-request: takes back the request about one of the caller's orders."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import order_view, requested_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

take_back_request = wiring.take_back_request()


@api
def handler(request: ApiRequest) -> Answer:
    caller = request.caller(wiring.customer_claim(), wiring.find_guest)
    order, policy = take_back_request(request.order_id_of(caller), caller, wiring.now)
    return Answer(requested_view(order_view(order, policy, request.received)))
