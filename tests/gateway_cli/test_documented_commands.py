"""The commands that the documents show can be typed as they stand there."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from gateway_cli.app import app
from tests.local_gateway import ROOT

DOCUMENTS = ["budgets.md", "releases.md", "migration.md", "operations.md", "costs.md"]


def shown(document: str) -> list[str]:
    """The lines of a document's consoles that run `ai-gateway`, without variables, comments and redirections."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    lines = re.findall(r"^ *\$ (?:\w+=\S+ )*ai-gateway (.+?)(?: +[#>].*)?$", text, re.MULTILINE)
    assert lines, document
    return lines


@pytest.mark.parametrize(
    ("document", "line"), [(document, line) for document in DOCUMENTS for line in dict.fromkeys(shown(document))]
)
def test_the_command_can_be_typed(document: str, line: str) -> None:  # noqa: ARG001
    words, command = shlex.split(line), typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words[0] in command.commands, f"there is no command {words[0]!r}"
        command = command.commands[words.pop(0)]
    # What cannot be typed is an exception that says why.
    command.make_context("ai-gateway", words).close()
