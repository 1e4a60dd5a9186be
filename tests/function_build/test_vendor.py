"""The third-party part: from the lock alone, pure Python, with its licences."""

from pathlib import Path

import pytest

from function_build.sources import LOCK, STAMP, VENDOR, vendor_digest
from function_build.vendor import _refuse_binaries


def test_the_built_part_is_of_this_lock() -> None:
    assert STAMP.read_text().strip() == vendor_digest()


def test_it_holds_what_the_runtime_imports_and_nothing_compiled() -> None:
    assert {path.name for path in VENDOR.iterdir()} == {"certs", "httpx", "idna", "licenses"}
    assert not [path for path in VENDOR.rglob("*") if path.name == "__pycache__" or path.suffix in {".so", ".pyc"}]


def test_every_locked_package_has_its_licence() -> None:
    locked = {line.split("==")[0] for line in LOCK.read_text().splitlines() if "==" in line}
    assert {path.name.split("-")[0] for path in (VENDOR / "licenses").iterdir()} == locked


def test_a_compiled_extension_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fast.so").touch()
    with pytest.raises(RuntimeError, match=r"must be pure Python .* got \['fast.so'\]"):
        _refuse_binaries(tmp_path)
