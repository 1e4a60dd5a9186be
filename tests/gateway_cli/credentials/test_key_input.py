"""The prompt for a key, at a terminal."""

from __future__ import annotations

import io
import os
import pty
import sys
import warnings
from contextlib import suppress

import pytest

from gateway_cli.credentials.key_input import read_key
from gateway_cli.errors import CommandError

_ASK = "from gateway_cli.credentials.key_input import read_key; print('length', len(read_key('openai')))"


def test_what_is_piped_in_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("sk-from-powershell".encode("utf-16")), encoding="utf-8"))
    with pytest.raises(CommandError, match="no text in UTF-8"):
        read_key("openai")


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
