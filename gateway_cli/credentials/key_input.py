"""Takes the key: from a hidden prompt, or from standard input where that is no terminal."""

from __future__ import annotations

import sys

import typer

from gateway_cli.credentials.values import checked_key
from gateway_cli.errors import MISTAKEN, CommandError

_LONGEST = 1024 * 1024


def read_key(upstream: str) -> str:
    """The key that the operator gives.

    Args:
        upstream: whose, as the prompt names it.

    Raises:
        CommandError: if it is none.
    """
    if sys.stdin.isatty():
        return checked_key(str(typer.prompt(f"Key of {upstream} (not shown)", hide_input=True, err=True)))
    try:
        text = sys.stdin.read(_LONGEST)
    except UnicodeDecodeError:
        # Its own message would repeat what was read.
        raise CommandError("what was piped in is no text in UTF-8; give the key alone", status=MISTAKEN) from None
    # One line end, which every editor and `echo` put there. More of them are no part of a key, and are told.
    return checked_key(text.removesuffix("\n").removesuffix("\r"))
