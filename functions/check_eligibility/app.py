"""GET /orders/{order_id}/cancellation-eligibility: the blockers of a cancel, and the amount to refund."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import eligibility_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

check_eligibility = wiring.check_eligibility()


@api
def handler(request: ApiRequest) -> Answer:
    caller = request.caller(wiring.customer_claim(), wiring.find_guest)
    order, decision = check_eligibility(request.order_id_of(caller), caller, request.received)
    return Answer(eligibility_view(order, decision))
