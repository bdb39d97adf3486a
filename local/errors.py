"""Errors that prevent the stack from starting."""

from __future__ import annotations


class StartError(Exception):
    """Something the stack needs is missing or taken. The message is one line for the user of the command."""
