"""The mails that were sent on this machine: GET /local/mails for programs, /local/mails/ for the browser."""

from __future__ import annotations

import json
import urllib.request
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

MAILS, PAGE = "/local/mails", "/local/mails/"
_SECURITY = (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store"))
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# A mail may not run or load anything. Its links open in a new tab.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox"


class Answer(NamedTuple):
    """A status, a body, and the headers except its length."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]


def answer(path: str, query: str, aws: str) -> Answer | None:
    """The response to a GET of this path; None if it is none of these. `aws`: the URL of moto's server."""
    if path != MAILS and not path.startswith(PAGE):
        return None
    asked = f"{MAILS}?{query}" if path == MAILS and query else MAILS
    with urllib.request.urlopen(f"{aws}{asked}", timeout=10) as told:  # noqa: S310 - an address of our own
        mails: list[dict[str, Any]] = json.load(told)["mails"]
    if path == MAILS:
        body = json.dumps({"mails": mails}, ensure_ascii=False).encode()
        return Answer(200, body, [("content-type", "application/json"), ("access-control-allow-origin", "*")])
    chosen = path.removeprefix(PAGE) or next(iter(parse_qs(query).get("mail", [])), "")
    mail = next((one for one in mails if one["message_id"] == chosen), None)
    if path != PAGE:
        return _html(_as_a_mail_program(mail["html"]), _MAIL_POLICY) if mail else Answer(404, b"", [])
    return _html(_page(mails, mail or next(iter(mails), None)), _PAGE_POLICY)


def _as_a_mail_program(text: str) -> str:
    """Its links open outside the frame that shows it."""
    return text.replace("<head>", '<head><base target="_blank">', 1)


def _html(text: str, policy: str) -> Answer:
    headers = [("content-type", "text/html; charset=utf-8"), ("content-security-policy", policy), *_SECURITY]
    return Answer(200, text.encode(), headers)


def _page(mails: list[dict[str, Any]], mail: dict[str, Any] | None) -> str:
    if mail is None:
        rows, shown = (
            "",
            '<p class="none">No mail has been sent yet. Cancel an order of the demo shop: its mails come here.</p>',
        )
    else:
        rows, shown = "".join(_row(one, is_shown=one is mail) for one in mails), _shown(mail)
    return _FRAME.format(style=_STYLE, number=len(mails), rows=rows, shown=shown)


def _row(mail: dict[str, Any], *, is_shown: bool) -> str:
    current = ' aria-current="page"' if is_shown else ""
    return (
        f'<li><a href="?mail={quote(mail["message_id"])}"{current}><span class="to">{escape(mail["to"])}</span>'
        f"<time>{mail['sent_at'][11:19]}</time><strong>{escape(mail['subject'])}</strong></a></li>"
    )


def _shown(mail: dict[str, Any]) -> str:
    sender = f"{mail['from_name']} <{mail['from']}>" if mail["from_name"] else mail["from"]
    facts = [("From", sender), ("To", mail["to"]), ("Reply to", mail["reply_to"]), ("Kind", mail["kind"])]
    told = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    url = f"{PAGE}{quote(mail['message_id'])}"
    return (
        f"<h2>{escape(mail['subject'])}</h2><dl>{told}<dt>Sent</dt><dd>{_time(mail)}</dd></dl>"
        f'<iframe src="{url}" title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
        f'<p><a href="{url}" target="_blank" rel="noopener">The HTML in a tab of its own</a></p>'
        f"<h3>As plain text</h3><pre>{escape(mail['text'])}</pre>"
    )


def _time(mail: dict[str, Any]) -> str:
    at = mail["sent_at"]
    return f'<time datetime="{at}">{at[:10]} {at[11:19]} UTC</time>'


_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails of the local stack ({number})</title><style>{style}</style></head>
<body><header><h1>Mails of the local stack</h1><p>{number} sent, newest first. Nothing has left this machine.
<a href="./">Reload</a> <a href="/">Shop</a></p></header>
<nav aria-label="Mails"><ol>{rows}</ol></nav><main>{shown}</main></body></html>
"""
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d1d5db, #4b5563); --soft: light-dark(#4b5563, #d1d5db);
  --back: light-dark(#f9fafb, #111827); --on: light-dark(#dbeafe, #1e3a5f); }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: var(--back); display: grid;
  grid-template: "header header" auto "nav main" 1fr / minmax(240px, 24rem) minmax(0, 1fr); min-height: 100vh; }
header { grid-area: header; padding: 12px 20px; border-bottom: 1px solid var(--line); }
header p, h1 { margin: 0; } h1 { font-size: 1.25rem; }
header a { margin-left: 12px; }
nav { grid-area: nav; border-right: 1px solid var(--line); }
nav ol { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 12px; padding: 10px 20px;
  border-bottom: 1px solid var(--line); color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a[aria-current] { background: var(--on); }
nav strong { flex-basis: 100%; font-weight: 600; }
nav .to, time { color: var(--soft); font-size: 0.875rem; }
main { grid-area: main; padding: 20px; max-width: 56rem; overflow-wrap: anywhere; }
h2 { margin: 0 0 8px; } h3 { margin: 24px 0 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 16px; margin: 0 0 16px; }
dt { color: var(--soft); } dd { margin: 0; }
iframe { width: 100%; height: 65vh; border: 1px solid var(--line); border-radius: 8px; }
pre { padding: 16px; border: 1px solid var(--line); border-radius: 8px; white-space: pre-wrap; }
@media (max-width: 700px) {
  body { grid-template: "header" auto "nav" auto "main" 1fr / minmax(0, 1fr); }
  nav { border-right: 0; max-height: 40vh; overflow-y: auto; }
}
"""
