"""What is installed on first use is installed by one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.alone import alone
from tests.support.machine import ROOT

WRITER = "import sys; from pathlib import Path; from local.alone import alone\nprint('here', flush=True)\n"
WRITER += "with alone(Path(sys.argv[1])): Path(sys.argv[2]).write_text('in')"


def test_another_process_waits_until_the_block_is_left(tmp_path: Path) -> None:
    folder, sign = tmp_path / "new" / "folder", tmp_path / "sign"
    with alone(folder):
        other = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(sign)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout
        assert other.stdout.readline() == "here\n"
        try:
            code: int | None = other.wait(0.5)
        except subprocess.TimeoutExpired:
            code = None
        assert (code, sign.exists()) == (None, False)
    try:
        assert other.wait(30) == 0
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert sign.read_text() == "in"
