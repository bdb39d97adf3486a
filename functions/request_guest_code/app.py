"""POST /guest-access: requests a code. The answer is always the same; the request is processed behind a queue."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.guest_documents import access_view
from cancel_core.entrypoints.http.guest_requests import AccessBody
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

request_code = wiring.request_guest_code()


@api
def handler(request: ApiRequest) -> Answer:
    asked = request.body(AccessBody)
    request_code(asked.order_id, asked.email, request.request_id, wiring.now())
    return Answer(access_view(), status=202)
