"""The config's `mail`: sender, recipients and language of a store's mails."""

import re
from typing import Any, NamedTuple

from cancel_core.domain.addresses import belongs_to_identity, is_address
from cancel_core.domain.setting_values import SettingFault, map_of, yes_or_no

LANGUAGES = ("en", "sv", "de", "fr", "es", "it", "nl", "pl", "da", "fi")
DEFAULT_LANGUAGE = "en"
LANGUAGE = r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8}){0,4}"
"""The shape of a BCP 47 tag."""
MOST_MERCHANTS = 10
LONGEST_SHOP_NAME = 100
_LONGEST_URL = 2000
_URL = re.compile(r"https?://[^\s<>\"'\x00-\x1f]+")
_KEYS = ("from", "reply_to", "shop_name", "support_url", "language", "customer", "merchant")


class MailSettings(NamedTuple):
    """A store's mail settings. `customer`: whether customers get mails about cancels and refunds."""

    sender: str = ""
    reply_to: str = ""
    shop_name: str = ""
    support_url: str = ""
    language: str = DEFAULT_LANGUAGE
    customer: bool = False
    merchant: tuple[str, ...] = ()

    @property
    def shop(self) -> str:
        """The shop's name in a mail: its setting, or the domain of the sender."""
        return self.shop_name or self.sender.rpartition("@")[2]

    @property
    def is_on(self) -> bool:
        return self.customer or bool(self.merchant)


NO_MAIL = MailSettings()
"""Off: no mails are sent."""


def language_of(tag: object) -> str | None:
    """The one of LANGUAGES for a BCP 47 tag ("sv", "de-AT", "pt_BR"); None if there is none."""
    if not isinstance(tag, str):
        return None
    primary = re.split(r"[-_]", tag.strip().lower())[0]
    return primary if primary in LANGUAGES else None


def read_mail(value: object) -> MailSettings:
    """The attribute `mail` of a config document, in plain values. Raises `SettingFault`."""
    document = map_of("mail", value, _KEYS)
    for name in ("from", "reply_to"):
        if name in document and not is_address(document[name]):
            raise SettingFault(f"mail.{name} is no e-mail address", "set it to one address, as shop@example.com")
    customer, merchant = (
        yes_or_no("mail.customer", document.get("customer", False)),
        _merchant(document.get("merchant", [])),
    )
    if (customer or merchant) and "from" not in document:
        raise SettingFault("mail has no from", "set it to an address of the verified identity")
    return MailSettings(
        sender=document.get("from", ""),
        reply_to=document.get("reply_to", ""),
        shop_name=_shop_name(document),
        support_url=_url(document),
        language=_language(document),
        customer=customer,
        merchant=merchant,
    )


def mail_note(settings: dict[str, Any], identity_arn: str) -> str:
    """The warning to an admin if the settings are valid but mails can't be sent; empty if they can.

    `settings`: a parsed document, with a MailSettings under `mail`, and `guest_access`. `identity_arn`: the SES
    identity; may be "".
    """
    mail = settings.get("mail", NO_MAIL)
    lost = ["no mail leaves"] if mail.is_on else []
    lost += ["guests get no codes"] if settings.get("guest_access") else []
    why = cannot_leave(mail, identity_arn) if lost else ""
    return f"But {' and '.join(lost)}: {SETTINGS_FAULTS[why]}." if why else ""


SETTINGS_FAULTS = {
    "MailIdentityArnEmpty": "the stack's parameter MailIdentityArn is empty",
    "MailFromMissing": "mail has no from",
    "MailFromNotOfIdentity": "mail.from is not an address of the identity in the stack's parameter MailIdentityArn",
}
"""Why no mail can be sent: a code for the row, and a text for an admin. A retry within minutes would not help."""


def cannot_leave(settings: MailSettings, identity_arn: str) -> str:
    """Why no mail of a store can be sent, one of `SETTINGS_FAULTS`; empty if it can. `identity_arn`: may be ""."""
    if not identity_arn:
        return "MailIdentityArnEmpty"
    if not settings.sender:
        return "MailFromMissing"
    return "" if belongs_to_identity(settings.sender, identity_arn) else "MailFromNotOfIdentity"


def _merchant(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingFault("mail.merchant is not a List", "make it a List of e-mail addresses, each a String")
    for number, address in enumerate(value, start=1):
        if not is_address(address):
            raise SettingFault(
                f"mail.merchant: entry {number} is no e-mail address", "set it to one address, or remove it"
            )
    once = tuple({address.lower(): address for address in value}.values())
    if len(once) > MOST_MERCHANTS:
        raise SettingFault(f"mail.merchant has more than {MOST_MERCHANTS} addresses", "use a mailing list's address")
    return once


def _shop_name(value: dict[str, Any]) -> str:
    name = value.get("shop_name", "")
    is_text = isinstance(name, str) and name.isprintable() and len(name) <= LONGEST_SHOP_NAME
    if "shop_name" in value and not (is_text and name.strip()):
        raise SettingFault(
            "mail.shop_name is no name", f"set it to a String of one line and at most {LONGEST_SHOP_NAME} characters"
        )
    return str(name).strip()


def _url(value: dict[str, Any]) -> str:
    url = value.get("support_url", "")
    if "support_url" in value and not (isinstance(url, str) and len(url) <= _LONGEST_URL and _URL.fullmatch(url)):
        raise SettingFault("mail.support_url is no address of a page", "set it to one that begins with https://")
    return str(url)


def _language(value: dict[str, Any]) -> str:
    tag = value.get("language", DEFAULT_LANGUAGE)
    if language_of(tag) is None:
        raise SettingFault("mail.language is none that there are mails in", f"set it to one of {', '.join(LANGUAGES)}")
    return str(tag).strip()
