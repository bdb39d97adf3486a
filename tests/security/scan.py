"""Scans of `make check`, on the command line:

``python -m tests.security.scan secrets [FILE...]``: whatever looks like a key or a password in these files, or in all
that git has or would take, by detect-secrets. What is known to be none stands in `.secrets.baseline`.

``python -m tests.security.scan dependencies FILE... [-- OPTION...]``: known holes in the packages that these lock files
name, by pip-audit (whose own OPTIONs may follow), and in what npm brings, by npm audit. Where a service can't be asked,
that is said.

The exit code is 1 when something was found.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.support.machine import ROOT

BASELINE = ROOT / ".secrets.baseline"
NOT_SCANNED = ("docs/reference/redoc.standalone.js", "docs/reference/index.html")
"""Redoc as npm publishes it, whose minified lines look like secrets, and what `make reference` writes from
docs/openapi.yaml, which is scanned itself."""
ACCEPTED: dict[str, str] = {}
"""Holes that can't be fixed here: the id, and why not."""


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# --- secrets ----------------------------------------------------------------------------------------------------------


def secrets(files: Sequence[str]) -> int:
    if not files:
        git = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
        if listed.returncode:
            print("not done: secrets (git does not know this folder)")
            return 0
        left_out = {BASELINE.name, *NOT_SCANNED}
        files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file() and name not in left_out]
    # Not verified: that would be asking a provider with whatever was found.
    done = _run("detect_secrets.pre_commit_hook", "--no-verify", "--json", *files)
    if done.returncode not in (0, 1):
        return _broken(done)
    found = json.loads(done.stdout)["results"] if done.returncode else {}
    known = {_what(one) for some in json.loads(BASELINE.read_text())["results"].values() for one in some}
    new = [one for some in found.values() for one in some if _what(one) not in known]
    for one in new:
        print(f"{one['filename']}:{one['line_number']}: this looks like a secret ({one['type']})")
    if new:
        print("If it is one, it is known by now: have it replaced. If it is none:")
        options = " ".join(f"--exclude-files {name}" for name in (BASELINE.name, *NOT_SCANNED))
        print(f"    .venv/bin/detect-secrets scan --slim --no-verify {options} > {BASELINE.name}")
    else:
        print(f"no secrets in {len(files)} files")
    return 1 if new else 0


def _what(one: dict[str, Any]) -> tuple[str, str, str]:
    """Wherever in its file it stands."""
    return one["filename"], one["type"], one["hashed_secret"]


# --- dependencies -----------------------------------------------------------------------------------------------------


def dependencies(files: Sequence[str], options: Sequence[str]) -> int:
    asked = [f"--requirement={name}" for name in files]
    asked += [f"--ignore-vuln={hole}" for hole in ACCEPTED]
    fixed = ("--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off", "--timeout=5")
    done = _run("pip_audit", *fixed, *asked, *options)
    for hole, why in ACCEPTED.items():
        print(f"{hole} is known, and accepted: {why}")
    try:
        audited = json.loads(done.stdout)["dependencies"]
    except ValueError:
        if "requests.exceptions." in done.stderr or "vulnerability feed" in done.stderr:
            print("not done: known holes of dependencies (the service that knows them can't be reached)")
            return 0
        return _broken(done)
    unknown = [one["name"] for one in audited if "skip_reason" in one]
    if unknown:
        which = f"all {len(unknown)}" if len(unknown) == len(audited) else ", ".join(unknown)
        print(f"not done: known holes of dependencies (the service that can be reached knows nothing of {which})")
    holes = [(one, hole) for one in audited for hole in one.get("vulns", [])]
    for one, hole in holes:
        fixed_in = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {hole['id']}, fixed in {fixed_in}: {hole['description']}")
    if not holes and len(unknown) < len(audited):
        print(f"no known holes in {len(audited) - len(unknown)} packages")
    return 1 if holes else 0


NPM_LOCKS = (
    "web",
    "local/aws",
    "docs/diagrams",
    "examples",
    "examples/next",
    "docs/reference",
    "examples/clients/generators",
    "examples/clients/typescript",
    "tests/local/stripe/stripe-stateful-mock",
)
"""Folders with a package-lock.json. Of the first one a part is deployed: the sign-in library of the three pages."""
NPM_DEPLOYED = NPM_LOCKS[:2]
"""Those that a hole fails the check for; in the others, which run in tests alone, it is told."""


def npm() -> bool:
    """Whether a package that npm brings has a known hole. Where its service can't be asked, that is said."""
    found = False
    for folder in NPM_LOCKS:
        command = ["npm", "audit", "--package-lock-only", "--omit=dev", "--json"]
        try:
            done = subprocess.run(command, cwd=ROOT / folder, capture_output=True, text=True, check=False, timeout=60)
            told = json.loads(done.stdout)
            holes = told["vulnerabilities"]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            print(f"not done: known holes of {folder}/package-lock.json (npm or its service is unavailable)")
            continue
        for name, hole in holes.items():
            print(f"{folder}: {name}: {hole['severity']}, fixable: {bool(hole['fixAvailable'])}")
        found |= bool(holes) and folder in NPM_DEPLOYED
        if not holes:
            print(f"no known holes in {folder}/package-lock.json")
    return found


def _broken(done: subprocess.CompletedProcess[str]) -> int:
    print(done.stdout + done.stderr, file=sys.stderr)
    return 2


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["secrets", *files]:
            return secrets(files)
        case ["dependencies", *rest] if rest:
            end = rest.index("--") if "--" in rest else len(rest)
            # Pointed at another service, it is that one alone that is asked.
            return dependencies(rest[:end], rest[end + 1 :]) or int(end == len(rest) and npm())
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
