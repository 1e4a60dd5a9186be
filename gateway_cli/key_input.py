"""Takes a key from whoever runs a command: out of the environment, from a pipe, or from a hidden prompt.

Never as an argument, which the shell's history and the list of processes would keep; and nothing that is said repeats it.
"""

from __future__ import annotations

import os
import sys

import typer

from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError
from lambda_runtime.secret_value import SecretProblem, key_from_secret

_LONGEST_INPUT = 1024 * 1024
_LONGEST_KEY = 8192


def read_key(whose: str, notes: Output, *, variable: str = "") -> str:
    """A key.

    Args:
        whose: what the key is for, as the prompt names it.
        notes: is told where the key comes from, which is a surprise if the variable was forgotten.
        variable: of the environment, which is looked at first. Default: none is.

    Raises:
        CommandError: if there is none, or it is no key.
    """
    text = os.environ.get(variable, "") if variable else ""
    if text.strip():
        notes.line(f"The key is that of {variable}.")
    elif sys.stdin.isatty():
        text = str(typer.prompt(f"Key of {whose} (not shown)", hide_input=True, err=True))
    else:
        text = _piped()
    # One line end, which every editor and `echo` put there. More of them are no part of a key, and are told.
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        first = f"set {variable}, " if variable else ""
        raise CommandError(
            f"no key was given for {whose}: {first}pipe it in, or run the command in a terminal, where it asks", status=MISTAKEN
        )
    return checked_key(text)


def _piped() -> str:
    try:
        return sys.stdin.read(_LONGEST_INPUT)
    except UnicodeDecodeError:
        # Its own message would repeat what was read.
        raise CommandError("what was piped in is no text in UTF-8; give the key alone", status=MISTAKEN) from None


def checked_key(text: str) -> str:
    """A key as it was given.

    Args:
        text: without a line end.

    Raises:
        CommandError: if it is none; without it.
    """
    if text.lstrip().startswith("{"):
        raise CommandError(
            "that is a JSON object; give the key alone. A secret's other fields, if it has any, are kept", status=MISTAKEN
        )
    if text.startswith(('"', "'")):
        raise CommandError("what was given begins with a quotation mark, and no key does; give it without", status=MISTAKEN)
    if text != text.strip():
        raise CommandError("what was given begins or ends with spaces or line ends; give the key alone", status=MISTAKEN)
    if len(text) > _LONGEST_KEY:
        raise CommandError(f"what was given has {len(text):,} characters, and is no key", status=MISTAKEN)
    try:
        return key_from_secret(text, "", "")
    except SecretProblem:
        raise CommandError(
            "what was given has characters that no API key has (spaces, line ends, quotation marks, letters outside ASCII)",
            status=MISTAKEN,
        ) from None
