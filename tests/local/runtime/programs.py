"""What the tests of the runtime have it run."""

from __future__ import annotations

import sys
from pathlib import Path

import local.runtime

CODE = Path(__file__).parent / "functions"
# The loop that stands in for AWS's runtime client.
OURS = (sys.executable, str(Path(local.runtime.__path__[0]) / "bootstrap.py"))
# The runtime client that ends where it is told to.
DYING = (sys.executable, str(Path(__file__).parent / "clients" / "dying.py"))
