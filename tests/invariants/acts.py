"""What others than the product do: each act is a rule of its own, and happens in the midst of passes, too.

An act is a method of a mixin of the machine, marked with `act`. The few that are no rule of their own are marked with
`only_meanwhile`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.invariants.wire import KINDS, Fault

T = TypeVar("T")
Act = Callable[[Any, Any, "Dice"], None]

which = st.integers(0, 59)
"""One of several, by its place."""
dice = st.integers(0, 2**24 - 1)
THEN = st.sampled_from(["", "", "", "the stream", "a message", "a message", "all", "the reconciler"])
"""What the product does next."""

ACTS: dict[str, Act] = {}
"""Every act, by its name."""
_OTHERS: list[str] = []


class Dice:
    """One drawn number, from which an act takes its choices: always the same ones for a number."""

    def __init__(self, number: int) -> None:
        self._left = number

    def pick(self, options: Sequence[T]) -> T:
        self._left, place = divmod(self._left, len(options))
        return options[place]

    def part_of(self, amount: int) -> int:
        """All of an amount, or some of it; at least 1 where there is any."""
        return min(amount, max(1, amount // self.pick([1, 1, 2, 3])))


def act(function: Act) -> Any:
    """Makes a rule of a method `(self, known, dice)`: somebody does that to one of the orders.

    Hypothesis leaves many of the rules out of each run. Therefore the product does something after an act, too.
    """
    only_meanwhile()(function)

    def step(self: Any, number: int, dice: int, then: str) -> None:
        ACTS[function.__name__](self, self.one(number), Dice(dice))
        self.goes_on(then)

    step.__name__ = function.__name__
    step.__doc__ = function.__doc__
    return rule(number=which, dice=dice, then=THEN)(step)


def only_meanwhile(times: int = 1) -> Callable[[Act], Act]:
    """Has a method happen in the midst of passes, `times` as often as another."""

    def mark(function: Act) -> Act:
        ACTS[function.__name__] = function
        _OTHERS.extend([function.__name__] * times)
        return function

    return mark


def faults(calls: int, most: tuple[int, ...] = ()) -> st.SearchStrategy[Fault | None]:
    """None, or one among the first `calls` of a pass, above all at the ones of `most`. What others do in the midst of
    it comes as often as all else.
    """
    at = st.sampled_from([*range(1, calls + 1), *most])
    lasting = st.builds(Fault, kind=st.sampled_from(KINDS), at=at, calls=st.integers(1, 4))
    # Only once the machine is made are all acts known.
    other = st.deferred(lambda: st.sampled_from(_OTHERS))
    meanwhile = st.builds(Fault, kind=st.just("meanwhile"), at=at, other=other, dice=dice)
    return st.none() | lasting | meanwhile
