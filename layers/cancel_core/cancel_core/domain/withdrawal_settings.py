"""The config's `withdrawal`: whether consumers can withdraw from a contract, for how long, and by which calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cancel_core.domain.mail_settings import NO_MAIL, SETTINGS_FAULTS, MailSettings, cannot_leave

LEAST_DAYS = 14
"""Directive 2011/83/EU, Article 9. A store may give more."""
MOST_DAYS = 3650
DEFAULT_TIME_ZONE = "UTC"
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2: the countries whose public holidays the calendar has."""
_KEYS = ("enabled", "days", "time_zone", "country", "cancels")
_WORDS = {"yes": True, "true": True, "no": False, "false": False}
# The names of the IANA database. Its folders "posix" and "right" hold each zone again, and the rest is no place.
_ZONE = re.compile(r"(?!posix|right/|Factory$|localtime$)[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


@dataclass(frozen=True, slots=True)
class WithdrawalSettings:
    """What a store says of withdrawals. `country`: ISO 3166-1 alpha-2, for public holidays; "": weekends alone.

    `cancels`: whether a proven withdrawal from a whole order that can still be cancelled cancels it.
    """

    enabled: bool = False
    days: int = LEAST_DAYS
    time_zone: str = DEFAULT_TIME_ZONE
    country: str = ""
    cancels: bool = True


NO_WITHDRAWAL = WithdrawalSettings()
"""Off: no statement is taken."""


class WithdrawalFault(ValueError):
    """(what is wrong, how to mend it)"""


def read_withdrawal(value: object) -> WithdrawalSettings:
    """The attribute `withdrawal` of a config document, in plain values. Raises `WithdrawalFault`."""
    if not isinstance(value, dict):
        raise WithdrawalFault("withdrawal is not a Map", f"make it a Map; it may have {', '.join(_KEYS)}")
    if unknown := sorted(map(str, value.keys() - set(_KEYS))):
        name = "".join(letter if letter.isalnum() or letter in "_-" else "?" for letter in unknown[0])[:60]
        raise WithdrawalFault(f"withdrawal has '{name}'", f"remove it; withdrawal may have {', '.join(_KEYS)}")
    return WithdrawalSettings(
        enabled=_yes_or_no(value, "enabled", default=False),
        days=_days(value.get("days", LEAST_DAYS)),
        time_zone=_time_zone(value.get("time_zone", DEFAULT_TIME_ZONE)),
        country=_country(value["country"]) if "country" in value else "",
        cancels=_yes_or_no(value, "cancels", default=True),
    )


def receipt_note(settings: dict[str, Any], identity_arn: str) -> str:
    """What an admin is told of settings that are right, where receipts of withdrawals can't be sent; else empty.

    `settings`: a document that was read. `identity_arn`: the SES identity; may be "".
    """
    withdrawal, mail = settings.get("withdrawal"), settings.get("mail")
    if not isinstance(withdrawal, WithdrawalSettings) or not withdrawal.enabled:
        return ""
    why = cannot_leave(mail if isinstance(mail, MailSettings) else NO_MAIL, identity_arn)
    if not why:
        return ""
    fault = "mail.from is missing" if why == "MailFromMissing" else SETTINGS_FAULTS[why]
    return f"But withdrawals are taken and their receipts have to wait: {fault}."


def _yes_or_no(value: dict[str, Any], name: str, *, default: bool) -> bool:
    said = value.get(name, default)
    if isinstance(said, bool):
        return said
    if isinstance(said, str) and (word := said.strip().lower()) in _WORDS:
        return _WORDS[word]
    raise WithdrawalFault(f"withdrawal.{name} is neither Yes nor No", "set it to a Boolean, or to the word Yes or No")


def _days(value: object) -> int:
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and LEAST_DAYS <= value <= MOST_DAYS:
        days = int(value)
        if days == value:
            return days
    raise WithdrawalFault(
        f"withdrawal.days is no whole number from {LEAST_DAYS} to {MOST_DAYS}",
        f"set it to a Number, {LEAST_DAYS} or more",
    )


def _time_zone(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not _ZONE.fullmatch(name) or not _is_zone(name):
        raise WithdrawalFault("withdrawal.time_zone is no time zone", "set it to an IANA name, as Europe/Stockholm")
    return name


def _is_zone(name: str) -> bool:
    if name == DEFAULT_TIME_ZONE:
        return True
    # Only who names a zone needs it.
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Not there, no name of a file, a folder of zones.
        return False
    return True


def _country(value: object) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in COUNTRIES:
        raise WithdrawalFault(
            "withdrawal.country is no country whose public holidays are known",
            "set it to a code of ISO 3166 with two letters, as SE, or remove it: then weekends alone count",
        )
    return code
