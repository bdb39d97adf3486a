"""Figures that stand side by side: each is measured in turn with its floor, and told as a ratio to it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of what was measured, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def text(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}..{self.high:.{digits}f})"


@dataclass(frozen=True)
class Ratio:
    """Ours and the floor in seconds, and the ratios of the pairs that were measured one after the other."""

    ours: Spread
    floor: Spread
    ratio: Spread

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Ratio:
        """`pairs`: ours, floor."""
        return cls(
            Spread.of([ours for ours, _ in pairs]),
            Spread.of([floor for _, floor in pairs]),
            Spread.of([ours / floor for ours, floor in pairs]),
        )
