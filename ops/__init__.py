"""The operator's command: `python -m ops --help`. It runs with the operator's own rights, not in a function."""

import os

# What the layer counts is counted where the functions run.
os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "cancel-core")
