"""The words that the gateway's own code knows: what is compared with something is worth trying."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]

_LONGEST = 40
_ODD = ("", " ", "\r\n", "x" * 300, "\ud800", "\0", "é☃😀", "1e999", "[DONE]", "\u2028", "../..", "%0d%0a", "@", '{"a":1}')


def words_of(sources: Iterable[str]) -> list[str]:
    """Short texts in the code of some files or directories, each once, and a few that are trouble anywhere."""
    found = dict.fromkeys(_ODD)
    for source in sources:
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                    text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
                    if len(text) <= _LONGEST and text.count(" ") <= 1:
                        found[text] = None
    return list(found)


def as_dictionary(words: Iterable[str]) -> str:
    """The words as libFuzzer takes them."""
    lines = []
    for word in words:
        data = word.encode("utf-8", "surrogatepass")
        if data:
            lines.append('"' + "".join(f"\\x{byte:02x}" for byte in data) + '"')
    return "\n".join(lines) + "\n"
