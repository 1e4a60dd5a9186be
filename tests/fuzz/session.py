"""One target's fuzzing: where its files are, how libFuzzer is called, and what its log says."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import corpus
from tests.fuzz.words import ROOT, as_dictionary, words_of

LONGEST = 4096
"""Bytes of an input."""

_TIMEOUT = 20
_MEMORY_MB = 1024


class Figures(NamedTuple):
    """What a run has done.

    Args:
        runs: inputs that were tried.
        rate: of them in a second.
        edges: of the gateway's code that were seen.
        inputs: inputs that differ in what they reach.
    """

    runs: int
    rate: int
    edges: int
    inputs: int


class Session:
    """A target's files below `.tools/fuzzing`, which git does not know.

    Args:
        name: the target.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.target = corpus.target(name)
        self._home = ROOT / ".tools" / "fuzzing" / name
        self.work = self._home / "work"
        self.kept = self._home / "kept"
        self.log = self._home / "log"
        self.failed = False

    def prepare(self) -> None:
        """Write the kept inputs and the dictionary to where libFuzzer finds them, and forget what was found before."""
        self.work.mkdir(parents=True, exist_ok=True)
        self.kept.mkdir(exist_ok=True)
        for old in [*self.kept.iterdir(), *self.found()]:
            old.unlink()
        for data in corpus.read(self.name).values():
            (self.kept / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
        (self._home / "words").write_text(as_dictionary(words_of(self.target.SOURCES)), "ascii")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Call libFuzzer.

        Args:
            options: its options and directories, besides those that are always the same.
        """
        command = [sys.executable, "-m", "tests.fuzz.run", self.name]
        command += [f"-dict={self._home / 'words'}", f"-artifact_prefix={self._home}/found-"]
        command += [f"-max_len={LONGEST}", f"-timeout={_TIMEOUT}", f"-rss_limit_mb={_MEMORY_MB}", "-print_final_stats=1"]
        with self.log.open("wb") as log:
            return subprocess.Popen([*command, *options], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def found(self) -> list[Path]:
        """The inputs with which something did not hold."""
        return sorted(self._home.glob("found-*"))

    def words(self) -> str:
        """What the log says of a finding."""
        text = self.log.read_text("utf-8", "replace")
        begin = text.find("=== Uncaught Python exception")
        return text[begin : text.find("\n==", begin)] if begin >= 0 else text[-2000:]

    def figures(self) -> Figures:
        """What the run has done, by its log."""
        text = self.log.read_text("utf-8", "replace")
        states = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)/", text)
        edges, inputs = states[-1] if states else ("0", "0")
        stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", text))
        return Figures(
            int(stats.get("number_of_executed_units", 0)), int(stats.get("average_exec_per_sec", 0)), int(edges), int(inputs)
        )

    def outcomes(self) -> Counter[str]:
        """What became of the inputs that differ in what they reach."""
        return Counter(self.target.check(path.read_bytes()) for path in [*self.kept.iterdir(), *self.work.iterdir()])
