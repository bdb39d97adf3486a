"""GET /cancellation-reasons: the reasons that a store offers.

In the requested language. Public, and cacheable.
"""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.documents import reasons_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer, public

policy_of = wiring.policy_of_store()


@api
def handler(request: ApiRequest) -> Answer:
    languages = request.asked_languages()
    headers = public(wiring.config_cache_seconds()) | {"vary": "accept-language"}
    return Answer(reasons_view(policy_of(request.store_id()), languages), headers)
