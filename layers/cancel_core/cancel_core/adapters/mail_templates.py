"""The texts of mails: Jinja templates, one folder for each kind, with one file of strings for each language.

Data comes in as values. Money, dates and quantities are formatted for the language. Only the mail function's package
contains Jinja2 and Babel.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_gmt
from babel.numbers import format_currency, format_decimal, get_currency_symbol
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cancel_core.domain.mail_settings import DEFAULT_LANGUAGE, language_of
from cancel_core.domain.money import Money
from cancel_core.domain.withdrawal_mails import LocalTime

LAYOUT = "layout"


class Written(NamedTuple):
    """A rendered mail. `subject` is one line."""

    subject: str
    text: str
    html: str


def money(value: Money, locale: Locale) -> str:
    """Whole minor units, formatted for the language: Money(4080, "EUR") is €40.80. Nothing is rounded."""
    # Babel rounds some currencies to cash amounts.
    fraction = f".{'0' * value.digits}" if value.digits else ""
    pattern = re.sub(r"0\.0+", f"0{fraction}", locale.currency_formats["standard"].pattern)
    if get_currency_symbol(value.currency, locale)[-1].isalpha():
        # CLDR has a rule for the space between letters and digits, which Babel does not apply.
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return format_currency(value.decimal, value.currency, pattern, locale=locale, currency_digits=False)


def local_time(value: LocalTime, locale: Locale) -> str:
    """November 22, 2026, 10:30:00 AM (Europe/Stockholm, GMT+01:00): with the offset, so that it is unambiguous."""
    there = value.moment.astimezone(ZoneInfo(value.zone))
    written = f"{format_date(there, 'long', locale=locale)}, {format_time(there, 'medium', locale=locale)}"
    offset = f", {get_timezone_gmt(there, locale=locale)}" if value.zone != "UTC" else ""
    return f"{written} ({value.zone}{offset})"


class Templates:
    """The texts of `folder`. Dates are in UTC, except those of a `LocalTime`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings: dict[str, Any] = {
            "loader": FileSystemLoader(folder),
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
        }
        # Every value is escaped in HTML; plain text needs no escaping.
        self._html = Environment(autoescape=True, **settings)
        self._text = Environment(autoescape=False, **settings)  # noqa: S701 - plain text alone
        self.strings = cache(self._strings)

    def write(self, kind: str, tag: str, facts: Mapping[str, Any]) -> Written:
        """A mail of this kind. `tag`: BCP 47. `facts`: the templates' variables, including `shop` and `support_url`."""
        lang = language_of(tag) or DEFAULT_LANGUAGE
        locale = _locale(tag, lang)
        told = {name: _localised(value, locale) for name, value in facts.items()} | {"lang": lang}
        subject = self._string(self._text, kind, lang, "subject", told)
        told |= {"subject": " ".join(subject.split())}
        text = self._page(self._text, "txt", kind, lang, told)
        return Written(told["subject"], _tidy(text), self._page(self._html, "html", kind, lang, told))

    def _page(self, environment: Environment, form: str, kind: str, lang: str, told: Mapping[str, Any]) -> str:
        def t(key: str, **more: Any) -> str:
            return self._string(environment, kind, lang, key, {**told, **more})

        return environment.get_template(f"{kind}/mail.{form}.j2").render(**told, t=t, link=_link)

    def _string(self, environment: Environment, kind: str, lang: str, key: str, told: Mapping[str, Any]) -> str:
        """One string of a language with its values filled in; the layout's string if the kind has none of that name."""
        text = _compiled(environment, self.strings(kind, lang)[key]).render(told)
        return Markup(text) if environment is self._html else text  # noqa: S704 - rendered with autoescape

    def _strings(self, kind: str, lang: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for folder in (LAYOUT, kind):
            found |= tomllib.loads((self._folder / folder / f"{lang}.toml").read_text("utf-8"))
        return found


@cache
def _compiled(environment: Environment, source: str) -> Any:
    return environment.from_string(source)


def _link(url: str) -> Markup:
    return Markup('<a href="{0}">{0}</a>').format(url)


def _locale(tag: str, lang: str) -> Locale:
    """The locale of the whole tag if Babel has it (de-AT), else of its language."""
    try:
        return Locale.parse(tag.strip().replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(lang)


def _localised(value: Any, locale: Locale) -> Any:
    writers: Mapping[type, Callable[[Any], str]] = {
        Money: lambda one: money(one, locale),
        datetime: lambda one: format_date(one, "long", locale=locale),
        date: lambda one: format_date(one, "long", locale=locale),
        LocalTime: lambda one: local_time(one, locale),
        Decimal: lambda one: format_decimal(one, "#,##0.###", locale=locale),
    }
    if writer := writers.get(type(value)):
        return writer(value)
    if isinstance(value, Mapping):
        return {name: _localised(entry, locale) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_localised(entry, locale) for entry in value]
    return value


def _tidy(text: str) -> str:
    """Collapses empty lines, strips both ends, and ends with one newline."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"


def kinds(folder: Path) -> list[str]:
    """The kinds of mail that have templates."""
    return sorted(path.parent.name for path in folder.glob("*/mail.html.j2") if path.parent.name != LAYOUT)
