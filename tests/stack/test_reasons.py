"""GET /cancellation-reasons"""

from __future__ import annotations

import re

from tests.support import documents
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import REASONS, Shop


def test_anyone_gets_the_reasons_in_their_order(shop: Shop, anyone: Client) -> None:
    reasons = [{"code": code, "description": f"About {code}"} for code in ("zeta", "alpha", "mid")]
    shop.configure(reasons=reasons)
    answer = anyone.get(REASONS, params={"store_id": shop.store_id})
    assert answer.status_code == 200
    assert body_of(answer) == {"enabled": True, "reasons": documents.offered(reasons)}


def test_a_disabled_store_tells_no_reasons(shop: Shop, anyone: Client) -> None:
    shop.configure(enabled=False)
    assert body_of(anyone.get(REASONS, params={"store_id": shop.store_id})) == {"enabled": False, "reasons": []}


def test_without_store_id_it_is_the_store_default(anyone: Client) -> None:
    asked = [
        body_of(anyone.get(REASONS, params=params)) for params in (None, {"store_id": ""}, {"store_id": "default"})
    ]
    assert asked[0] == asked[1] == asked[2]
    assert asked[0]["enabled"] is True


def test_any_store_id_is_answered(anyone: Client) -> None:
    for store_id in ("no-such-store", "åäö ☃", "x" * 3000, "default,default"):
        assert anyone.get(REASONS, params={"store_id": store_id}).status_code == 200


def test_an_answer_may_be_kept_for_less_than_a_minute(shop: Shop, anyone: Client) -> None:
    answer = anyone.get(REASONS, params={"store_id": shop.store_id})
    found = re.fullmatch(r"public, max-age=(\d+)", answer.headers["cache-control"])
    assert found
    # With the 30 seconds for which a function keeps the config unless told otherwise.
    assert 0 < int(found[1]) <= 60 - 30


def test_the_etag_answers_304_until_the_reasons_change(shop: Shop, anyone: Client) -> None:
    store = {"store_id": shop.store_id}
    first = anyone.get(REASONS, params=store)
    etag = first.headers["etag"]
    same = anyone.get(REASONS, params=store, headers={"if-none-match": etag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    for known in (f'"other", {etag}', f"W/{etag}", "*"):
        assert anyone.get(REASONS, params=store, headers={"if-none-match": known}).status_code == 304
    assert anyone.get(REASONS, params=store, headers={"if-none-match": '"other"'}).status_code == 200

    shop.configure(reasons=documents.REASONS[:1])
    changed = anyone.get(REASONS, params=store, headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
