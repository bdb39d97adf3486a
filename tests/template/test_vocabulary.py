"""The documents, comments, descriptions and messages use the field's standard terms.

A phrase in FORBIDDEN reads as translated or as an aphorism. To forbid another, add it with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.machine import ROOT

FORBIDDEN = {
    r"anew": "again",
    r"as it likes": "without a limit",
    r"be away|is away|are away|were away": "be unavailable",
    r"comes? again": "is delivered again, is retried",
    r"comes? home|came home": "succeeds, recovers",
    r"comes? to light": "is detected",
    r"for so long as": "while, as long as",
    r"gives? way": "reaches its limit",
    r"in a hurry": "at once, immediately",
    r"in trouble": "failing",
    r"in vain": "without a result",
    r"is to be had|can(?:'t|not) be had": "is available",
    r"left the house|leaves the house": "shipped",
    r"letter by letter": "exactly",
    r"mends?|mended|mending": "fix, correct",
    r"not to be had": "unavailable",
    r"nobody knows": "is unknown",
    r"of itself|all by itself": "automatically",
    r"sees to it": "handles it",
    r"stands? in place of|stands? in the place of": "replaces",
    r"take(?:s|n)? for wrong": "is invalid",
    r"tells? of": "reports, notifies",
    r"(?:here|there)(?:of|upon|with|after)": "of it, then",
    r"whoever": "anyone who, the person who",
    r"works? out to": "is",
}
# A phrase may be broken over lines, and then a comment's marker stands between its words.
GAP = r"\s+(?:(?:#|//|\*)\s+)?"
PHRASES = re.compile(r"\b(?:" + "|".join(FORBIDDEN).replace(" ", GAP) + r")\b", re.IGNORECASE)

TEXTS = ("*.md", "*.py", "*.js", "*.html", "*.j2", "*.yaml", "Makefile")
FOLDERS = ("docs", "events", "examples", "functions", "layers", "local", "ops", "requirements", "tests", "web")
GENERATED = (
    "*/node_modules/*",
    "docs/reference/*.html",
    "docs/reference/redoc.*",
    "examples/clients/python/cancel_core_client/*",
)
# The checks' own words.
EXEMPT = ("tests/template/test_vocabulary.py",)
# Identifiers, and texts that operators, logs or stored data already have. Nothing else in these files is exempt.
KEPT = {
    "layers/cancel_core/cancel_core/adapters/secrets.py": {"anew"},
    "layers/cancel_core/cancel_core/domain/policy.py": {"anew"},
    "layers/cancel_core/cancel_core/services/process_requests.py": {"anew"},
    "layers/cancel_core/cancel_core/services/refund_books.py": {"anew"},
    "ops/config_edits.py": {"mend", "stand in place of"},
    "ops/mails.py": {"mend"},
    "ops/refund_list.py": {"mend"},
    "ops/withdrawn.py": {"tell of"},
    "tests/adapters/providers/test_stripe.py": {"anew"},
    "tests/adapters/test_secrets.py": {"anew"},
    "tests/ops/test_config.py": {"stand in place of"},
    "tests/services/test_request_faults.py": {"anew"},
    "tests/services/test_requests.py": {"anew"},
    "tests/stack/test_mails.py": {"mend"},
    "web/withdraw-contract/withdraw-contract.js": {"mended"},
}
# In a heading, after its first word. Words with two capitals (EventBridge, SQS) are names in any case.
NAMES = {"Docker", "Stripe", "Swift", "Kotlin", "Lambda", "Cognito", "Chromium", "English", "Swedish", "German"}
REQUIRED = {
    "README.md": {"Quick start", "Guarantees", "Deploy", "Out of scope", "Documentation"},
    "docs/README.md": {"Tutorials", "How-to guides", "Reference", "Explanation"},
}
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def files(*patterns: str) -> Iterator[Path]:
    for folder in (ROOT, *(ROOT / name for name in FOLDERS)):
        for pattern in patterns:
            for path in folder.glob(pattern) if folder == ROOT else folder.rglob(pattern):
                if path.is_file() and not any(fnmatch(name(path), one) for one in (*GENERATED, *EXEMPT)):
                    yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def phrases(text: str, kept: Collection[str] = ()) -> list[str]:
    """What is forbidden in a text, except the phrases in `kept`, with its line."""
    return [
        f"line {text.count(chr(10), 0, hit.start()) + 1}: {hit[0]!r}"
        for hit in PHRASES.finditer(text)
        if hit[0].lower() not in kept
    ]


def faults(heading: str) -> list[str]:
    """What is wrong with a heading."""
    words = re.findall(r"[A-Za-z'-]+", CODE.sub("", heading).replace("[", "").partition("](")[0])
    titled = [word for word in words[1:] if re.fullmatch(r"[A-Z][a-z]+", word) and word not in NAMES]
    found = [f"not sentence case: {titled}"] if titled else []
    if re.search(r"[?!.,;]$|, and ", heading):
        found.append("a question, a sentence or two headings in one: name the task or the subject")
    return found


def test_no_text_uses_a_forbidden_phrase() -> None:
    texts = {name(path): path.read_text(encoding="utf-8") for path in files(*TEXTS)}
    found = {page: hits for page, text in texts.items() if (hits := phrases(text, KEPT.get(page, ())))}
    assert not found


def test_each_phrase_that_is_kept_still_occurs() -> None:
    occurring = {page: {hit[0].lower() for hit in PHRASES.finditer((ROOT / page).read_text("utf-8"))} for page in KEPT}
    assert occurring == KEPT


def test_every_heading_names_a_task_or_a_subject() -> None:
    headings = {name(path): HEADING.findall(CODE.sub("`code`", path.read_text("utf-8"))) for path in files("*.md")}
    assert len(headings) > 8
    # The titles of versions and of decisions are no tasks.
    headings = {page: all_of for page, all_of in headings.items() if page != "CHANGELOG.md" and "adr/" not in page}
    found = {
        (page, heading): wrong for page, all_of in headings.items() for heading in all_of if (wrong := faults(heading))
    }
    assert not found


@pytest.mark.parametrize("page", REQUIRED)
def test_a_page_has_the_headings_that_readers_look_for(page: str) -> None:
    assert set(HEADING.findall((ROOT / page).read_text("utf-8"))) >= REQUIRED[page]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("For whoever reads it.", 1),
        ("# The refund comes\n# home.", 1),
        (" * It is tried in\n * vain.", 1),
        ("Read it again.", 0),
        ("a_mended_name = whoever_else", 0),
    ],
)
def test_a_forbidden_phrase_is_found(text: str, count: int) -> None:
    assert len(phrases(text)) == count


@pytest.mark.parametrize(
    ("heading", "right"),
    [
        ("Deploy the stack", True),
        ("Cancel with curl on EventBridge and Stripe", True),
        ("Deploy The Stack", False),
        ("What does it cost?", False),
        ("Rolling out, and going back", False),
    ],
)
def test_a_heading_that_names_no_task_is_found(heading: str, right: bool) -> None:
    assert (not faults(heading)) is right
