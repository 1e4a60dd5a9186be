"""Keys as they are given: typed, piped in, in the environment."""

from __future__ import annotations

import io
import os
import pty
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

import pytest

from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.key_input import checked_key, read_key

_ASK = (
    "from gateway_cli.console import Output; from gateway_cli.key_input import read_key; "
    "print('length', len(read_key('openai', Output())))"
)
VARIABLE = "OPENAI_API_KEY"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Puts bytes into standard input."""
    monkeypatch.delenv(VARIABLE, raising=False)
    return lambda content: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line_end_is_no_part_of_a_key(piped: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    piped(f"sk-piped{end}".encode())
    assert read_key("openai", Output(), variable=VARIABLE) == "sk-piped"
    monkeypatch.setenv(VARIABLE, f"sk-of-the-environment{end}")
    assert read_key("openai", Output(), variable=VARIABLE) == "sk-of-the-environment"


def test_the_variable_is_looked_at_only_where_there_is_one(
    piped: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "sk-of-the-environment")
    piped(b"sk-piped")
    assert read_key("openai", Output()) == "sk-piped"
    assert VARIABLE not in capsys.readouterr().out
    monkeypatch.setenv(VARIABLE, " ")
    piped(b"sk-piped")
    assert read_key("openai", Output(), variable=VARIABLE) == "sk-piped"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", f"no key was given for openai: set {VARIABLE}, pipe it in, or run the command in a terminal"),
        (b"\n", "no key was given"),
        (b"sk-1\n\n", "spaces or line ends"),
        (b"x" * 2_000_000, "1,048,576 characters"),
        ("sk-from-powershell".encode("utf-16"), "no text in UTF-8"),
    ],
)
def test_what_is_piped_in_and_no_key(piped: Callable[[bytes], None], content: bytes, why: str) -> None:
    piped(content)
    with pytest.raises(CommandError, match=why) as refused:
        read_key("openai", Output(), variable=VARIABLE)
    assert refused.value.status == MISTAKEN
    assert "sk-" not in str(refused.value)


def test_without_a_variable_none_is_named(piped: Callable[[bytes], None]) -> None:
    piped(b"")
    with pytest.raises(CommandError, match=r"^no key was given for openai: pipe it in, or"):
        read_key("openai", Output())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "JSON object; give the key alone"),
        ('{"apiKey": "sk"}', "JSON object; give the key alone"),
        ('"sk-1"', "quotation mark"),
        ("'sk-1'", "quotation mark"),
        (" sk-1", "spaces or line ends"),
        ("sk-1\n", "spaces or line ends"),
        ("sk-1 sk-2", "characters that no API key has"),
        ("sk-1\nsk-2", "characters that no API key has"),
        ("sk-\x00", "characters that no API key has"),
        ("sk-ü", "characters that no API key has"),
        ('sk-"1', "characters that no API key has"),
        ("x" * 8193, "8,193 characters"),
    ],
)
def test_what_is_no_key(text: str, why: str) -> None:
    with pytest.raises(CommandError) as caught:
        checked_key(text)
    assert why in str(caught.value)
    assert caught.value.status == MISTAKEN
    assert not text.strip() or text not in str(caught.value)


def test_a_key() -> None:
    assert checked_key("sk-1_2.3/4+5=") == "sk-1_2.3/4+5="


@pytest.mark.parametrize(
    ("typed", "told"), [("sk-typed-at-the-prompt", "length 22"), ("two words", "characters that no API key")]
)
def test_what_is_typed_is_not_shown(typed: str, told: str) -> None:
    with warnings.catch_warnings():
        # The child is another program at once, so that threads of this one are of no concern to it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", _ASK])  # noqa: S606
    shown = b""
    asked = False
    # Linux ends a terminal whose program has ended with an error, others with nothing.
    with suppress(OSError):
        while piece := os.read(terminal, 4096):
            shown += piece
            # The space comes last, when nothing that is typed is shown any more; what is typed before it is dropped.
            if b"Key of openai (not shown): " in shown and not asked:
                asked = True
                os.write(terminal, typed.encode() + b"\n")
    os.close(terminal)
    os.waitpid(child, 0)
    assert asked
    assert told in shown.decode()
    assert typed not in shown.decode()
