"""Takes a key from whoever runs the command: out of the environment, from a pipe, or from a hidden prompt.

Never as an argument, which the shell's history and the list of processes would keep.
"""

from __future__ import annotations

import os
import re
import sys

import typer

from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError

_KEY = re.compile(r"[\x21-\x7e]+").fullmatch


def read_key(variable: str, whose: str, notes: Output) -> str:
    """A key.

    Args:
        variable: of the environment, which is looked at first.
        whose: what the key is for, as the prompt names it.
        notes: is told where the key comes from, which is a surprise if the variable was forgotten.

    Raises:
        CommandError: if there is none, or it is nothing that a header can carry.
    """
    key = os.environ.get(variable, "").strip()
    if key:
        notes.line(f"The key is that of {variable}.")
    elif sys.stdin.isatty():
        key = str(typer.prompt(f"Key of {whose}", hide_input=True, err=True)).strip()
    else:
        key = sys.stdin.read().strip()
    if not key:
        raise CommandError(
            f"there is no key of {whose}: set {variable}, pipe the key in, or run the command in a terminal, where it asks",
            status=MISTAKEN,
        )
    if not _KEY(key):
        raise CommandError(
            f"what was given as the key of {whose} has spaces, line breaks or letters outside ASCII, which no key has",
            status=MISTAKEN,
        )
    return key
