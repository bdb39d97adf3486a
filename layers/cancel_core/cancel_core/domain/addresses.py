"""E-mail addresses: validation, and which input may appear in a mail."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_ADDRESS = 254
LONGEST_NAME = 100
# One @ with something on both sides; no blanks, commas, brackets or control characters.
_ADDRESS = re.compile(r"[^\s,()\[\]{}<>@\x00-\x1f\x7f-\x9f]+@[^\s,()\[\]{}<>@\x00-\x1f\x7f-\x9f]+")
# What a mail program would make a link of.
_LINK = re.compile(r"[/:@<>\\]|www\.", re.IGNORECASE)


class Contact(NamedTuple):
    """What an order says of its customer: address, name and BCP 47 language; each may be ""."""

    email: str
    name: str
    language: str


def is_address(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))


def belongs_to_identity(address: str, identity_arn: str) -> bool:
    """Whether SES lets the identity send from this address. The identity is an address, or a domain with all below."""
    identity = identity_arn.rpartition("identity/")[2].lower()
    if "@" in identity:
        return address.lower() == identity
    domain = address.rpartition("@")[2].lower()
    return domain == identity or domain.endswith(f".{identity}")


def salutation(name: object) -> str:
    """A person's name as a mail may greet with it; empty where it is none.

    The name is input of the person who placed the order. A name that a mail program would turn into a link is left out.
    """
    if not isinstance(name, str):
        return ""
    plain = one_line(name)
    return plain if len(plain) <= LONGEST_NAME and not _LINK.search(plain) else ""


def one_line(text: object) -> str:
    """A text of one line: what would begin another one, or can't be seen, is a blank."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def lines(text: object) -> list[str]:
    """A text's lines, so that each of them can be marked as its writer's."""
    if not isinstance(text, str) or not text.strip():
        return []
    return [one_line(line) for line in re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", text.strip())]
