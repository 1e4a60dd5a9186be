"""Puts the figures of benchmarks/results.md into the README's table: `python -m benchmarks.speed`."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.document import with_block
from benchmarks.memory_table import markdown

_ROOT = Path(__file__).resolve().parent.parent
RESULTS = _ROOT / "benchmarks" / "results.md"
README = _ROOT / "README.md"

_CALLS = {
    "JSON call, median": "JSON p50, added to http.client",
    "JSON call, 99th percentile": "JSON p99, added to http.client",
    "first token of a stream, median": "first token p50, added to http.client",
    "stream of 200 chunks, median": "200 chunks p50, added to http.client",
}
_ADDED = {
    "breaker and usage counts": "breaker and usage on, added to JSON p50",
    "a budget": "budget on, added to JSON p50",
    "a first target that refuses the connection": "failover after a refused connection, added to JSON p50",
    "a first target that answers 500": "failover after a 500, added to JSON p50",
}
_OWN = {
    "start of the function, median": "start to first /next, median",
    "peak memory": "peak RSS",
    "growth of it over the same request 10,000 times": "RSS growth over 10000 requests",
    "zipped asset": "zipped asset",
}


def table(results: str) -> str:
    """The README's table.

    Args:
        results: text of benchmarks/results.md, with what `make bench` has printed.

    Raises:
        LookupError: if a figure is not in it.
    """
    rows = [("", "direct (`http.client`)", "gateway", "added")]
    for title, name in _CALLS.items():
        direct, gateway, added = _figures(results, name)
        rows.append((title, f"{direct} ms", f"{gateway} ms", added))
    rows += [(title, "", "", _figures(results, name)[-1]) for title, name in _ADDED.items()]
    rows += [(title, "", _figures(results, name)[-1], "") for title, name in _OWN.items()]
    return markdown(rows)


def _figures(results: str, name: str) -> list[str]:
    """What a line says before its target: direct, gateway and the figure, as far as it has them."""
    found = re.search(rf"^{re.escape(name)}  +(.+)$", results, re.MULTILINE)
    if found is None:
        raise LookupError(f"benchmarks/results.md has no line {name!r}; put in what `make bench` prints")
    return [cell for cell in re.split(r"  +", found[1]) if cell not in {"met", "NOT MET"} and not cell.startswith("<=")]


def main() -> None:
    """Write the README."""
    README.write_text(with_block(README.read_text("utf-8"), "speed", table(RESULTS.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
