"""POST /guest-access/token: exchanges a mailed code for a token."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.guest_documents import token_view
from cancel_core.entrypoints.http.guest_requests import TokenBody
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

redeem_code = wiring.redeem_guest_code()


@api
def handler(request: ApiRequest) -> Answer:
    asked = request.body(TokenBody)
    return Answer(token_view(redeem_code(asked.order_id, asked.code, wiring.now())))
