"""The command line for operators and admins, `python -m ops`. It runs with your own credentials, not in a function."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("cancel_core") is None:
    # In a checkout the product's package is in the layer's folder and is not installed.
    sys.path.append(str(Path(__file__).resolve().parent.parent / "layers" / "cancel_core"))
