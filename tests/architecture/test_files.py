"""What holds for every file of the repository: lengths, and words that its text does without."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

LONG, TOO_LONG = 350, 500
MAY_BE_LONG: dict[str, str] = {}
"""Files over 350 lines, each with the reason why it is one file."""

# Put together here, so that this file is not its own finding. In quotes the first is a field of OpenAI's requests.
UNWANTED = re.compile(
    "|".join(
        [
            r"(?<![\"'])\bse" + r"eds?\b(?![\"'])",
            r"\bpy" + r"pi\.org\b",
            r"\bpythonho" + r"sted\b",
            r"\bnpm" + r"js\.(org|com)\b",
            r"/ro" + r"ot/",
            r"/ho" + r"me/[a-z]",
        ],
    ),
    re.IGNORECASE,
)


@cache
def texts() -> dict[str, str]:
    """Text of each file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    contents = {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}
    return {name: data.decode("utf-8") for name, data in contents.items() if b"\0" not in data}


def test_no_source_is_too_long() -> None:
    lengths = {name: text.count("\n") for name, text in texts().items() if name.endswith(".py")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > TOO_LONG} == {}
    assert {name for name, length in lengths.items() if length > LONG} == set(MAY_BE_LONG)


def test_no_text_names_registries_or_the_machine_it_was_written_on() -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        for match in [UNWANTED.search(line)]
        if match
    ]
    assert found == []
