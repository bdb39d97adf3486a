from __future__ import annotations

import io

from local.output import say


class Written(io.StringIO):
    """Each write by itself, between any two of which another thread may write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


def test_a_line_and_its_end_are_one_write() -> None:
    """The functions' log is read line by line, by people and by programs."""
    out = Written()
    for _ in range(2):
        say("a line", out)
    assert out.writes == ["a line\n"] * 2
