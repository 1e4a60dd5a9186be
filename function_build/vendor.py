"""The function's third-party part, from the lock."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from function_build.bytecode import FUNCTION_PYTHON, bytecode_archive
from function_build.ca_directory import write_ca_directory
from function_build.sources import BUILT, LOCK, STAMP, VENDOR, vendor_digest

_UNREACHED = ("httpx/_main.py", "idna/__main__.py", "idna/cli.py", "idna/uts46data.py")
"""Files that nothing in the function imports: command lines, and a table for a mapping that httpx does not ask for."""


def build() -> None:
    """Bring `gateway_construct/_function` up to date: `vendor` (third-party code, CA directory) and, where possible, bytecode.

    Raises:
        RuntimeError: if the lock holds something that is not pure Python.
        subprocess.CalledProcessError: if the packages cannot be installed from the lock.
    """
    if not (STAMP.exists() and STAMP.read_text().strip() == vendor_digest()):
        shutil.rmtree(BUILT, ignore_errors=True)
        _build_vendor(VENDOR)
    current = bytecode_archive()
    for archive in BUILT.glob("bytecode-*.zip"):
        if archive != current:
            archive.unlink()
    if current is None:
        print(  # noqa: T201
            f"notice: no Python {FUNCTION_PYTHON[0]}.{FUNCTION_PYTHON[1]} on this machine: "
            "the asset has no bytecode, and each cold start compiles it",
            file=sys.stderr,
        )
    STAMP.write_text(vendor_digest() + "\n")


def _build_vendor(vendor: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        site = Path(temporary, "site")
        _install_locked(site)
        for package in ("httpx", "idna"):
            shutil.copytree(site / package, vendor / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _UNREACHED:
            (vendor / name).unlink()
        _copy_licences(site, vendor / "licenses")
        write_ca_directory((site / "certifi" / "cacert.pem").read_text("ascii"), vendor / "certs")
    _refuse_binaries(vendor)


def _install_locked(site: Path) -> None:
    # pip would write time-dependent metadata and bytecode of this Python; uv writes the same tree every time.
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:"]
    command += ["--no-compile-bytecode", "--no-installer-metadata", "--target", str(site), "-r", str(LOCK)]
    command += ["--python", sys.executable, "--python-version", ".".join(map(str, FUNCTION_PYTHON))]
    subprocess.run(command, check=True)  # noqa: S603


def _copy_licences(site: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for metadata in sorted(site.glob("*.dist-info")):
        for licence in sorted(path for path in metadata.rglob("*") if path.is_file() and path.name.upper().startswith("LICEN")):
            shutil.copyfile(licence, target / f"{metadata.name.removesuffix('.dist-info')}.txt")


def _refuse_binaries(vendor: Path) -> None:
    binaries = [str(path.relative_to(vendor)) for pattern in ("*.so", "*.pyd", "*.dylib") for path in vendor.rglob(pattern)]
    if binaries:
        raise RuntimeError(
            f"the function's packages must be pure Python so that arm64 and x86-64 get the same bytes, got {binaries}"
        )
