"""What the template gives every function, for the parts that read it."""

from __future__ import annotations

import os

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "cancel-core")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "cancel-core")
