"""The operator's and the admin's shell, `python -m ops`. It runs with your own rights, not in a function."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("cancel_core") is None:
    # In a checkout the product's own package lies in the layer's folder, and is installed nowhere.
    sys.path.append(str(Path(__file__).resolve().parent.parent / "layers" / "cancel_core"))
