"""The config's `withdrawal`: what is understood, what is refused, and what an admin is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from cancel_core.domain.policy import Policy, read_policy
from cancel_core.domain.withdrawal_settings import NO_WITHDRAWAL, WithdrawalSettings, read_withdrawal, receipt_note

IDENTITY = "arn:aws:ses:eu-north-1:123456789012:identity/example.com"
REASONS = [{"code": "other", "description": "Other"}]
DEFAULT: dict[str, Any] = {"scope": "default", "enabled": True, "reasons": REASONS}
MINE: dict[str, Any] = {"enabled": True, "days": Decimal(30), "time_zone": "Europe/Stockholm", "country": "SE"}


def _policy(default: object, store: object = None) -> Policy:
    own = None if store is None else {"scope": "store:se", "withdrawal": store}
    return read_policy("se", DEFAULT | ({} if default is None else {"withdrawal": default}), own)


def test_absent_is_off() -> None:
    assert _policy(None).withdrawal == NO_WITHDRAWAL
    assert not NO_WITHDRAWAL.enabled
    assert (NO_WITHDRAWAL.days, NO_WITHDRAWAL.time_zone, NO_WITHDRAWAL.country) == (14, "UTC", "")


def test_what_is_left_out_has_a_default() -> None:
    assert read_withdrawal({"enabled": "Yes"}) == WithdrawalSettings(enabled=True, cancels=True)


def test_everything_is_understood() -> None:
    assert read_withdrawal(MINE | {"cancels": "No", "country": "se"}) == WithdrawalSettings(
        enabled=True, days=30, time_zone="Europe/Stockholm", country="SE", cancels=False
    )


def test_it_is_inherited_whole_and_not_key_by_key() -> None:
    assert _policy(MINE).withdrawal.country == "SE"
    assert _policy(MINE, {"enabled": True}).withdrawal == WithdrawalSettings(enabled=True)


def test_it_holds_where_cancelling_is_off() -> None:
    policy = read_policy("se", {"scope": "default", "enabled": False, "withdrawal": MINE}, None)
    assert not policy.enabled
    assert policy.withdrawal.enabled


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("Yes", "withdrawal is not a Map"),
        (True, "withdrawal is not a Map"),
        ({"enable": True}, "withdrawal has 'enable'"),
        ({"enabled": "ja"}, "withdrawal.enabled is neither Yes nor No"),
        ({"enabled": Decimal(1)}, "withdrawal.enabled is neither Yes nor No"),
        ({"cancels": None}, "withdrawal.cancels is neither Yes nor No"),
        *(
            ({"days": days}, "withdrawal.days is no whole number from 14 to 3650")
            for days in (Decimal(13), Decimal("14.5"), Decimal(3651), Decimal(-14), "14", True, None, Decimal("1E+100"))
        ),
        *(
            ({"time_zone": zone}, "withdrawal.time_zone is no time zone")
            for zone in ("Europe", "Europe/Gothenburg", "", "../UTC", "/etc/passwd", "posix/Europe/Stockholm", 2, None)
        ),
        *(
            ({"country": country}, "withdrawal.country is no country")
            for country in ("Sweden", "EU", "SWE", "", "XX", 46, None)
        ),
    ],
)
def test_what_is_wrong_is_named_and_leaves_what_was_right(wrong: object, fault: str) -> None:
    policy = _policy(wrong)

    (problem,) = policy.problems
    assert (problem.scope, problem.attribute) == ("default", "withdrawal")
    assert fault in problem.fault
    assert problem.remedy
    assert not policy.withdrawal.enabled


def test_what_can_not_be_sent_is_told() -> None:
    on = {"withdrawal": WithdrawalSettings(enabled=True)}
    mailed = {"mail": read_policy("x", DEFAULT | {"mail": {"from": "shop@example.com"}}, None).mail}
    foreign = {"mail": read_policy("x", DEFAULT | {"mail": {"from": "shop@example.org"}}, None).mail}
    assert receipt_note({}, "") == receipt_note({"withdrawal": NO_WITHDRAWAL}, "") == ""
    assert "MailIdentityArn is empty" in receipt_note(on | mailed, "")
    assert "mail.from is missing" in receipt_note(on, IDENTITY)
    assert "not an address of the identity" in receipt_note(on | foreign, IDENTITY)
    assert receipt_note(on | mailed, IDENTITY) == ""
