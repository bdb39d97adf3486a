"""The README's screen recording is there and small, and what `make recording` needs is locked."""

from __future__ import annotations

import re

from tests.support.machine import ROOT

RECORDING = ROOT / "docs" / "pictures" / "cancel.webp"


def test_the_readme_shows_a_small_animation() -> None:
    data = RECORDING.read_bytes()
    assert len(data) < 2_000_000
    # An animated WebP has an animation header and one ANMF chunk for each frame.
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WEBP"
    assert b"ANIM" in data[:64]
    assert data.count(b"ANMF") > 3
    assert f"({RECORDING.relative_to(ROOT).as_posix()})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_lock_has_the_drivers_version_of_the_tests_and_hashes() -> None:
    lock = (ROOT / "requirements" / "recording.txt").read_text(encoding="utf-8")
    tests = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    (playwright,) = re.findall(r"^playwright==\S+", lock, re.MULTILINE)
    assert playwright in tests
    packages = re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE)[1:]
    assert len(packages) > 2
    assert all("--hash=sha256:" in package for package in packages)
