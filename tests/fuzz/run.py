"""Fuzzes one target: `python -m tests.fuzz.run TARGET [libFuzzer's options] DIRECTORIES`. The only file that needs atheris."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import atheris  # type: ignore[import-untyped]  # in an environment of its own

from tests.fuzz import corpus
from tests.fuzz.mutation import Mutator
from tests.fuzz.words import words_of

_OF_BYTES = 0.3
"""Share of changes that know nothing of the structure."""


def main() -> None:
    """Fuzz until libFuzzer says that it is enough."""
    name = sys.argv[1]
    with atheris.instrument_imports(include=["lambda_runtime"], enable_loader_override=False):
        target = corpus.target(name)
    pool = list(corpus.read(name).values())
    for directory in sys.argv[2:]:
        if not directory.startswith("-"):
            pool += [path.read_bytes() for path in sorted(Path(directory).iterdir())[:2000]]
    mutator = Mutator(target.KIND, pool or [b"\n"], words_of(target.SOURCES))

    def mutated(data: bytes, longest: int, number: int) -> bytes:
        random = Random(number)
        if random.random() < _OF_BYTES:
            return bytes(atheris.Mutate(data, longest))
        return mutator.mutated(data, random)[:longest]

    def test_one(data: bytes) -> None:
        target.check(data)

    # To merge, libFuzzer calls itself by this name, in a shell.
    atheris.Setup([f"{sys.executable} -m tests.fuzz.run {name}", *sys.argv[2:]], test_one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
