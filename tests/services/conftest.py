"""The use cases on a real engine. Each test has a store of its own."""

from tests.support.limits import till
from tests.support.tables import shop

__all__ = ["shop", "till"]
