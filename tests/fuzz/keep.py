"""Keeps inputs in the repository.

`python -m tests.fuzz.keep TARGET FILE NAME` keeps one; with the target alone it keeps those that reach more than the kept ones.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.architecture.test_files import UNWANTED
from tests.fuzz import corpus
from tests.fuzz.session import Session
from tests.fuzz.words import ROOT

_LONGEST = 1500
_MOST = 24_000
"""Bytes of merged inputs for each target: they are read, and reviewed, by people."""

_MERGED = "reaches more "
_USAGE = 2


def main() -> int:
    """Keep."""
    match sys.argv[1:]:
        case [name]:
            _merge(Session(name))
        case [name, file, title]:
            corpus.write(name, {**corpus.read(name), title: Path(file).read_bytes()})
        case _:
            print(__doc__)
            return _USAGE
    return 0


def _merge(session: Session) -> None:
    """Take the smallest inputs that together reach what all do, as far as there is room."""
    kept = {title: data for title, data in corpus.read(session.name).items() if not title.startswith(_MERGED)}
    (ROOT / ".tools").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".tools") as scratch:
        first, merged = Path(scratch, "kept"), Path(scratch, "merged")
        new = Path(scratch, "new")
        for directory in (first, merged, new):
            directory.mkdir()
        for number, data in enumerate(kept.values()):
            (merged / str(number)).write_bytes(data)
        for path in [*session.work.iterdir(), *session.kept.iterdir()]:
            if path.stat().st_size <= _LONGEST:
                shutil.copy(path, new)
        session.start("-merge=1", str(merged), str(new)).wait()
        found = [path.read_bytes() for path in merged.iterdir() if not path.name.isdecimal()]
    room = _MOST
    for data in sorted(found, key=len):
        room -= len(data)
        if room < 0:
            break
        if not UNWANTED.search(data.decode("latin-1")):  # words that no text of the repository may hold
            kept[f"{_MERGED}{len(kept)}"] = data
    corpus.write(session.name, kept)
    print(f"{session.name}: {len(kept)} inputs, {corpus.path_of(session.name).stat().st_size} bytes; {len(found)} reach more")


if __name__ == "__main__":
    sys.exit(main())
