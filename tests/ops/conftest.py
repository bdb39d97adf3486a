"""The operator's moves on a real engine."""

from tests.support.tables import shop

__all__ = ["shop"]
