"""What this machine lacks. There a test is skipped and says why; in CI, where everything has to be there, it fails."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def need(there: object, reason: str) -> None:
    """Skips the test with `reason` unless `there` is true; fails it in CI."""
    if there:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{reason} In CI this has to run.", pytrace=False)
    pytest.skip(reason)


def sam_cli() -> Path:
    """The aws-sam-cli that the Makefile installs in an environment of its own."""
    sam = ROOT / ".venv-sam" / "bin" / "sam"
    need(sam.exists(), "aws-sam-cli is not installed: `make test` installs it, with a network.")
    return sam


def checkov() -> Path:
    """The checkov that the Makefile installs in an environment of its own."""
    program = ROOT / ".venv-checkov" / "bin" / "checkov"
    need(program.exists(), "checkov is not installed: `make test` installs it, with a network.")
    return program


def rehearsal_bin() -> Path:
    """Programs of the environment with the AWS emulator and the AWS CLI, which the Makefile installs by itself."""
    programs = ROOT / ".venv-rehearse" / "bin"
    there = (programs.parent / "stamp").exists()
    need(there, "The AWS emulator is not installed: `make test` installs it, with a network and Python 3.13.")
    return programs


def functions_python() -> Path:
    """The Python of the functions' own version. AWS's runtime client, and `sam build`, want it and no other."""
    need(sys.platform == "linux", "AWS's Lambda runtime client runs on Linux alone.")
    need(sys.version_info[:2] == (3, 13), "The functions are built for Python 3.13, and this is another.")
    return Path(sys.executable)


def chromium() -> Path:
    """A real browser, as Debian packs it.

    Its headless shell where there is one: the same engine without the desktop program around it, which starts a
    profile and a window for each customer and takes more than half of the processor time.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    need(found, "Chromium is not installed: on Debian, apt-get install chromium-headless-shell, or chromium.")
    return Path(str(found))
