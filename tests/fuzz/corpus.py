"""The kept inputs: one file for each target, one input a line with its name, so that each can be read and its change reviewed.

Bytes that are no UTF-8 stand as escaped surrogates, as Python's `surrogateescape` makes them.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Protocol, cast

HERE = Path(__file__).parent
TARGETS = tuple(sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py")))


class Target(Protocol):
    """What a module of `targets` holds."""

    KIND: str
    """What the material is, for mutations that know its structure: a key of `mutation.MUTATIONS`."""

    SOURCES: tuple[str, ...]
    """Files of the gateway, or directories, whose words the fuzzer tries."""

    OUTCOMES: frozenset[str]
    """What can become of an input. The kept inputs reach all of them."""

    def check(self, data: bytes) -> str:
        """Say what became of an input.

        Raises:
            AssertionError: if something does not hold that must. Any other exception is a defect, too.
        """


def target(name: str) -> Target:
    """A target by its name."""
    return cast("Target", importlib.import_module(f"tests.fuzz.targets.{name}"))


def path_of(name: str) -> Path:
    """The file of a target's inputs."""
    return HERE / "corpus" / f"{name}.jsonl"


def read(name: str) -> dict[str, bytes]:
    """A target's kept inputs by their names."""
    inputs: dict[str, bytes] = {}
    for line in path_of(name).read_text("ascii").splitlines():
        title, text = json.loads(line)
        assert title not in inputs, title
        inputs[title] = text.encode("utf-8", "surrogateescape")
    return inputs


def write(name: str, inputs: dict[str, bytes]) -> None:
    """Keep a target's inputs."""
    lines = [json.dumps([title, data.decode("utf-8", "surrogateescape")]) for title, data in inputs.items()]
    path_of(name).write_text("".join(line + "\n" for line in lines), "ascii")
