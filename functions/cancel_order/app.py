"""POST /orders/{order_id}/cancellation: cancels one of the caller's orders, or creates a request to the shop.

A refund follows automatically.
"""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import canceled_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

cancel_order = wiring.cancel_order()


@api
def handler(request: ApiRequest) -> Answer:
    caller = request.caller(wiring.customer_claim(), wiring.find_guest)
    canceled = cancel_order(request.cancel_request(caller), wiring.now)
    headers = {"idempotency-replayed": "true"} if canceled.replayed else {}
    document = canceled_view(canceled, request.received)
    if canceled.is_request:
        asked = {"cancellation_request_id": document["cancellation_request"]["request_id"]}
        return Answer(document, headers, asked, status=202)
    return Answer(document, headers, {"cancellation_id": document["cancellation"]["cancellation_id"]})
