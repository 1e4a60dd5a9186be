"""Where the function's sources are, and what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "lambda_runtime"
BUILT = ROOT / "gateway_construct" / "_function"
"""What this package makes. Not in version control; carried by the wheel."""

LOCK = RUNTIME / "requirements.lock"
APART = frozenset({"authorizer", "consumer_limits", "custom_resource", "release", "rotation"})
"""Directories of `lambda_runtime` that are for functions of their own."""

VENDOR = BUILT / "vendor"
STAMP = BUILT / ".complete"
"""Holds `vendor_digest()` of what was built."""


def runtime_sources() -> list[Path]:
    """The files of `lambda_runtime` that go into the function, in a fixed order, without the functions that run apart."""
    modules = [path for path in RUNTIME.rglob("*.py") if path.relative_to(RUNTIME).parts[0] not in APART]
    return sorted([*modules, RUNTIME / "exec-wrapper"])


def digest(*paths: Path) -> str:
    """SHA-256 over names and contents, in hexadecimal. Of a file of the runtime the name is its path in there."""
    return digest_of((_name(path), path.read_bytes()) for path in paths)


def digest_of(files: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 over names and contents, in hexadecimal."""
    sha = hashlib.sha256()
    for name, data in files:
        sha.update(f"{name} {len(data)}\n".encode())
        sha.update(data)
    return sha.hexdigest()


def _name(path: Path) -> str:
    return path.relative_to(RUNTIME).as_posix() if path.is_relative_to(RUNTIME) else path.name


def vendor_digest() -> str:
    """What the third-party part is built from: the lock and its builders."""
    here = Path(__file__).parent
    return digest(LOCK, here / "vendor.py", here / "ca_directory.py")
