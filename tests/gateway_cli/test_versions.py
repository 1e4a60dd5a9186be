import base64
import hashlib
from pathlib import Path

import pytest

from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.versions import CodeStore, choose_version
from gateway_cli.local.zips import unzip_directory, zip_directory


@pytest.mark.parametrize(("draw", "version"), [(0.0, "2"), (0.049, "2"), (0.05, "1"), (0.999, "1")])
def test_weights(draw: float, version: str) -> None:
    assert choose_version("1", {"2": 0.05}, draw) == version


def test_no_weights() -> None:
    assert choose_version("1", {}, 0.0) == "1"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    directory = tmp_path / "code"
    (directory / "inner").mkdir(parents=True)
    (directory / "exec-wrapper").write_text("#!/bin/sh\n")
    (directory / "exec-wrapper").chmod(0o755)
    (directory / "inner" / "file.py").write_text("x = 1\n")
    (directory / "inner" / "file.py").chmod(0o644)
    return directory


def test_a_zip_keeps_permissions_and_is_always_the_same(code: Path, tmp_path: Path) -> None:
    content = zip_directory(code)
    assert content == zip_directory(code)
    unzip_directory(content, tmp_path / "out")
    assert (tmp_path / "out" / "exec-wrapper").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "inner" / "file.py").stat().st_mode & 0o111 == 0
    assert (tmp_path / "out" / "inner" / "file.py").read_text() == "x = 1\n"


def store(tmp_path: Path, directories: dict[str, Path]) -> CodeStore:
    return CodeStore(directories=directories, scratch=tmp_path, prepare=lambda directory: directory)


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_code_of_the_assembly_is_used_where_it_is(code: Path, tmp_path: Path) -> None:
    assert store(tmp_path, {"d": code}).directory("d", "http://nowhere.invalid") == code


def test_other_code_is_fetched(code: Path, tmp_path: Path) -> None:
    content = zip_directory(code)
    (tmp_path / "code.zip").write_bytes(content)
    found = store(tmp_path, {}).directory(digest(content), (tmp_path / "code.zip").as_uri())
    assert (found / "inner" / "file.py").read_text() == "x = 1\n"


def test_code_that_is_no_longer_there(code: Path, tmp_path: Path) -> None:
    (tmp_path / "code.zip").write_bytes(zip_directory(code))
    with pytest.raises(LocalGatewayError, match="has been replaced by newer code"):
        store(tmp_path, {}).directory(digest(b"older"), (tmp_path / "code.zip").as_uri())
