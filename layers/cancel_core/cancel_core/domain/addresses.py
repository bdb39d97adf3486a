"""E-mail addresses: validation, and which input may appear in a mail."""

import re
from typing import NamedTuple

LONGEST_ADDRESS = 254
LONGEST_NAME = 100
# One @ with something on both sides; no spaces, commas, brackets or control characters.
_ADDRESS = re.compile(r"[^\s,()\[\]{}<>@\x00-\x1f\x7f-\x9f]+@[^\s,()\[\]{}<>@\x00-\x1f\x7f-\x9f]+")
# What a mail program would turn into a link.
_LINK = re.compile(r"[/:@<>\\]|www\.", re.IGNORECASE)


class Contact(NamedTuple):
    """An order's contact: address, name and BCP 47 language; each may be ""."""

    email: str
    name: str
    language: str


def is_address(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))


def belongs_to_identity(address: str, identity_arn: str) -> bool:
    """Whether SES lets the identity send from this address. The identity is an address, or a domain with its
    subdomains.
    """
    identity = identity_arn.rpartition("identity/")[2].lower()
    if "@" in identity:
        return address.lower() == identity
    domain = address.rpartition("@")[2].lower()
    return domain == identity or domain.endswith(f".{identity}")


def salutation(name: object) -> str:
    """A person's name for a mail's greeting; empty if it is unfit.

    The customer enters the name. A name that a mail program would turn into a link is left out.
    """
    if not isinstance(name, str):
        return ""
    plain = one_line(name)
    return plain if len(plain) <= LONGEST_NAME and not _LINK.search(plain) else ""


def one_line(text: object) -> str:
    """A text as one line: line breaks and invisible characters become spaces."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def lines(text: object) -> list[str]:
    """The lines of a text, so that each can be marked as a quotation."""
    if not isinstance(text, str) or not text.strip():
        return []
    return [one_line(line) for line in re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", text.strip())]
