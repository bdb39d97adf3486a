"""Command line for operators and admins. Each command works on one stack, with your own AWS credentials.

  python -m ops refunds list
  python -m ops config show --local
  python -m ops COMMAND --help

Commands work on the deployed stack --stack (default: cancel-core), or with --local on the stack of `make run`.

Exit codes: 0 done; 1 refused or not found; 2 wrong command line; 3 AWS or the local stack cannot be reached or denies
access; 4 written, but not confirmed within the time-out; 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence

from cancel_core.telemetry import logger

from ops import config, deploy, mails, refunds, report, requests, withdrawals
from ops.command import Command
from ops.faults import Exit, explained
from ops.output import Out
from ops.stacks import DEFAULTS, add_options

COMMANDS: tuple[Command, ...] = tuple(
    module.COMMAND for module in (refunds, requests, config, mails, withdrawals, report, deploy)
)
TYPED = "--typed"
"""make passes its variable DO as one argument after this, which no shell has parsed."""


def parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser(prog="python -m ops", description=__doc__, formatter_class=form)
    commands = made.add_subparsers(dest="name", required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        one = commands.add_parser(
            command.name, help=command.help, description=command.description, formatter_class=form
        )
        add_options(one, deployed_only=command.deployed_only)
        one.set_defaults(run=command.run)
        command.add_arguments(one)
    return made


def words(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments. What follows `--typed` is split as a shell does, except that `$` has no special meaning.

    Raises ValueError for a quotation mark that is not closed.
    """
    rest = iter(arguments)
    for word in rest:
        if word == TYPED:
            yield from shlex.split(next(rest, ""))
        else:
            yield word


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see `Exit`."""
    asks = parser()
    try:
        typed = list(words(sys.argv[1:] if arguments is None else arguments))
    except ValueError as error:
        asks.error(f"{error}: look at the quotation marks")
    asked = asks.parse_args(typed, argparse.Namespace(**DEFAULTS))
    out = Out(as_json=asked.json)
    try:
        try:
            return int(asked.run(asked, out))
        finally:
            out.close()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        if asked.debug:
            traceback.print_exc()
        print(told[0], file=sys.stderr)
        return told[1]


def program() -> int:
    """`main` as a process: its exit code."""
    # Metrics and log lines are for functions: here they would be mixed with the output.
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output, for example `head`, has closed the pipe. Nothing is left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


if __name__ == "__main__":
    sys.exit(program())
