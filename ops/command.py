"""The parts of a command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from ops.output import Out
from ops.stacks import add_options


class Command(NamedTuple):
    """`description`: the text of `--help`, with examples. `run` returns the exit code, and raises errors."""

    name: str
    help: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Out], int]
    deployed_only: bool = False


Subcommands = Any
"""The type that argparse's `add_subparsers` returns, which is private."""


def subcommands(parser: argparse.ArgumentParser) -> Subcommands:
    return parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")


def add(commands: Subcommands, name: str, text: str) -> argparse.ArgumentParser:
    """A sub-command, which also takes the options that name the stack."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    add_options(made)
    return made
