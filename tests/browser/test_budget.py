"""What the pages may cost until the cancel button is there: requests and bytes, and nothing that blocks. No clock."""

from __future__ import annotations

import pytest

from tests.bench.pages import OWN, PATHS, load
from tests.browser.visit import Visits
from tests.support import documents
from tests.support.shop import Shop

# Requests; bytes as they are sent, with about 300 of headers each.
BUDGETS = {"My Account": (12, 30_000), "My Orders": (12, 30_000), "an order": (13, 33_000), OWN: (3, 11_500)}


@pytest.mark.parametrize("name", PATHS)
def test_the_button_is_there_within_the_budget(visits: Visits, shop: Shop, name: str) -> None:
    order_id = shop.put(**documents.paid())
    found = load(visits.signed_in(phone=True).page, shop.endpoint, name, order_id, slow=False)
    requests, sent = BUDGETS[name]
    # Where the page knows the order, the component asks for nothing.
    assert found.api == (0 if name == OWN else 1)
    assert found.requests <= requests
    assert found.sent <= sent
    assert found.blocking == (() if name == OWN else ("/storefront.css",))
