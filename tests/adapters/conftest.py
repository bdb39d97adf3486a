"""The adapters on real engines."""

from tests.support.tables import shop

__all__ = ["shop"]
