"""The config's `withdrawal`: whether withdrawal is on, its period, and its calendar."""

import re
from typing import Any, NamedTuple

from cancel_core.domain.mail_settings import NO_MAIL, SETTINGS_FAULTS, MailSettings, cannot_leave
from cancel_core.domain.setting_values import SettingFault, map_of, whole_number, yes_or_no

LEAST_DAYS = 14
"""Directive 2011/83/EU, Article 9. A store may grant more."""
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
"""ISO 3166-1 alpha-2: the countries with a calendar of public holidays."""
_KEYS = ("enabled", "days", "time_zone", "country", "cancels")
# The names of the IANA database. Its folders "posix" and "right" repeat each zone, and the rest is not a place.
_ZONE = re.compile(r"(?!posix|right/|Factory$|localtime$)[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


class WithdrawalSettings(NamedTuple):
    """A store's withdrawal settings. `country`: ISO 3166-1 alpha-2, for public holidays; "": weekends only.

    `cancels`: whether a proven withdrawal from a whole order that can still be cancelled cancels it.
    """

    enabled: bool = False
    days: int = LEAST_DAYS
    time_zone: str = DEFAULT_TIME_ZONE
    country: str = ""
    cancels: bool = True


NO_WITHDRAWAL = WithdrawalSettings()
"""Off: statements are not accepted."""


def read_withdrawal(value: object) -> WithdrawalSettings:
    """The attribute `withdrawal` of a config document, in plain values. Raises `SettingFault`."""
    document = map_of("withdrawal", value, _KEYS)
    return WithdrawalSettings(
        enabled=yes_or_no("withdrawal.enabled", document.get("enabled", False)),
        days=whole_number("withdrawal.days", document.get("days", LEAST_DAYS), LEAST_DAYS, MOST_DAYS),
        time_zone=_time_zone(document.get("time_zone", DEFAULT_TIME_ZONE)),
        country=_country(document["country"]) if "country" in document else "",
        cancels=yes_or_no("withdrawal.cancels", document.get("cancels", True)),
    )


def receipt_note(settings: dict[str, Any], identity_arn: str) -> str:
    """The warning to an admin if the settings are valid but receipts of withdrawals can't be sent; else empty.

    `settings`: a parsed document. `identity_arn`: the SES identity; may be "".
    """
    withdrawal, mail = settings.get("withdrawal"), settings.get("mail")
    if not isinstance(withdrawal, WithdrawalSettings) or not withdrawal.enabled:
        return ""
    why = cannot_leave(mail if isinstance(mail, MailSettings) else NO_MAIL, identity_arn)
    if not why:
        return ""
    fault = "mail.from is missing" if why == "MailFromMissing" else SETTINGS_FAULTS[why]
    return f"But withdrawals are taken and their receipts have to wait: {fault}."


def _time_zone(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not _ZONE.fullmatch(name) or not _is_zone(name):
        raise SettingFault("withdrawal.time_zone is no time zone", "set it to an IANA name, as Europe/Stockholm")
    return name


def _is_zone(name: str) -> bool:
    if name == DEFAULT_TIME_ZONE:
        return True
    # Imported only if a store names a zone.
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Not found, not a valid file name, or a folder of zones.
        return False
    return True


def _country(value: object) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in COUNTRIES:
        raise SettingFault(
            "withdrawal.country is no country whose public holidays are known",
            "set it to a code of ISO 3166 with two letters, as SE, or remove it: then weekends alone count",
        )
    return code
