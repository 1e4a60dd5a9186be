"""Writes docs/costs.md anew, each console with what its command prints: `make costs`.

What is assumed is long, and nearly the same each time: the first console has it, in the others it is left out.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from tests.gateway_cli.gateways import DONE, call
from tests.local_gateway import ROOT

PATH = ROOT / "docs" / "costs.md"
PICTURE = ROOT / "docs" / "costs.svg"

LEFT_OUT = "Assumed  ...\n"

_ASSUMED = re.compile(r"^Assumed  .*\n(?: .*\n)*", re.MULTILINE)
_CONSOLE = re.compile(r"```console\n\$ ai-gateway (?P<command>.*)\n(?P<printed>(?:.*\n)*?)```")


def commands(text: str) -> dict[str, str]:
    """What the document says that each of its commands prints."""
    return {match["command"]: match["printed"] for match in _CONSOLE.finditer(text)}


def printed(command: str, picture: Path, *, assumed: bool) -> str:
    """What a command prints, as the document has it.

    Args:
        command: without the program's name.
        picture: where its picture goes, if it draws one.
        assumed: whether what it assumes is in it.
    """
    words = shlex.split(command.replace(f"docs/{PICTURE.name}", str(picture)))
    done = call(*words)
    assert done.exit_code == DONE, done.stderr
    text = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
    return text if assumed else _ASSUMED.sub(LEFT_OUT, text)


def main() -> None:
    """Run the commands and write."""
    text = PATH.read_text("utf-8")
    first = next(iter(commands(text)))

    def console(match: re.Match[str]) -> str:
        command = match["command"]
        return f"```console\n$ ai-gateway {command}\n{printed(command, PICTURE, assumed=command == first)}```"

    PATH.write_text(_CONSOLE.sub(console, text), "utf-8")
    sys.stdout.write(f"written to docs/{PATH.name} and docs/{PICTURE.name}\n")


if __name__ == "__main__":
    main()
