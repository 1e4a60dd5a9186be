"""What is installed and shipped is pinned with hashes and readable: nothing is fetched by a name alone."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from function_build.sources import BUILT
from tests.lambda_runtime.function_process import ROOT

FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
LOCKS = [name for name in FILES if re.search(r"(^|/)requirements[^/]*\.txt$|\.lock$", name) and (ROOT / name).is_file()]
NODE_LOCKS = [name for name in FILES if name.endswith("package-lock.json") and (ROOT / name).is_file()]
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[a-z0-9,-]+\])?==[A-Za-z0-9.!+]+( ; .+)?")


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_its_hashes(name: str) -> None:
    entries = (ROOT / name).read_text("utf-8").replace("\\\n", " ").splitlines()
    packages = [entry for entry in entries if entry.strip() and not entry.startswith("#")]
    assert packages
    for package in packages:
        requirement, *hashes = re.split(r"\s+--hash=", package.strip())
        assert _PINNED.fullmatch(requirement.strip()), requirement
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found.strip()) for found in hashes)


def test_the_locks_are_found() -> None:
    assert {"requirements.txt", "lambda_runtime/requirements.lock", "gateway_cli/local/ministack.lock"} <= set(LOCKS)
    assert {"package-lock.json", "tests/contract/node/package-lock.json"} <= set(NODE_LOCKS)


def test_whatever_installs_a_lock_asks_for_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installations = [line for line in makefile.splitlines() if re.search(r"pip install.*-r ", line)]
    assert installations
    assert all("--require-hashes" in line for line in installations)
    for name in ("function_build/vendor.py", "gateway_cli/local/tool_environment.py", "benchmarks/peers/installing.py"):
        source = (ROOT / name).read_text("utf-8")
        assert source.count("--require-hashes") >= source.count('"install"') > 0, name


@pytest.mark.parametrize("name", NODE_LOCKS)
def test_every_package_of_node_has_one_version_and_its_hash(name: str) -> None:
    lock = json.loads((ROOT / name).read_text("utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path and not entry.get("link")}
    assert packages
    assert {path for path, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")} == set()
    wanted = [*lock["packages"][""].get("dependencies", {}).values(), *lock["packages"][""].get("devDependencies", {}).values()]
    assert wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted)


@pytest.mark.parametrize("name", ["package-lock.json", "tests/contract/node/package-lock.json"])
def test_what_make_test_installs_of_node_runs_nothing_when_installed(name: str) -> None:
    packages = json.loads((ROOT / name).read_text("utf-8"))["packages"]
    # Of macOS alone, and optional.
    assert {path for path, entry in packages.items() if entry.get("hasInstallScript")} <= {"node_modules/fsevents"}


def test_what_the_benchmarks_install_of_node_runs_nothing_when_installed() -> None:
    """One of the peers would. A lock with such a script may be installed there only, where none is run."""
    source = (ROOT / "benchmarks" / "peers" / "installing.py").read_text("utf-8")
    assert source.count('"npm", "ci", "--ignore-scripts"') == source.count('"npm"') - source.count('/ "npm"') == 1
    others = {name for name in NODE_LOCKS if not name.startswith("benchmarks/peers/npm/")}
    assert others == {"package-lock.json", "tests/contract/node/package-lock.json"}


def test_the_function_is_readable_source_and_nothing_else() -> None:
    """Third-party part and our own: no compiled extension, no archive, and no program but the wrapper.

    Bytecode is in archives that are made of these sources when the asset is built.
    """
    shipped = [path for path in (*BUILT.rglob("*"), *(ROOT / "lambda_runtime").rglob("*")) if path.is_file()]
    shipped = [path for path in shipped if "__pycache__" not in path.parts and not path.name.startswith("bytecode-")]
    assert shipped
    # Certificates are named by their hashes, which end in ".0".
    assert {path.suffix for path in shipped} <= {".py", ".typed", ".txt", ".in", ".lock", ".0", ".1", ""}
    assert {path.name for path in shipped if not path.suffix} <= {"exec-wrapper", ".complete"}
    assert {path.name for path in shipped if path.read_bytes()[:2] == b"#!"} == {"exec-wrapper"}
