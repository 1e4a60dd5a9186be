"""The wheel, as a user gets it: built, installed in a clean environment, used from another directory."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.templates import ROOT, child_environment, synthesize

pytestmark = pytest.mark.template

APP = """
from aws_cdk import App, Stack

from gateway_construct import AiGateway, Plan, Upstream

app = App()
gateway = AiGateway(Stack(app, "Small"), "Gateway", upstreams=[Upstream.holysheep(example_models=True)])
gateway.add_consumer("search", plan=Plan(rate=20))
app.synth()
"""


def uv(*arguments: str) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=ROOT,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel. The build tools are those that the lock pins, so that nothing is fetched for them."""
    dist = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(dist))
    [path] = dist.glob("*.whl")
    return path


def test_wheel_holds_the_function_and_nothing_of_the_repository_besides(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        mode = archive.getinfo("lambda_runtime/exec-wrapper").external_attr >> 16
    assert mode & 0o111 == 0o111
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"function_build", "gateway_construct", "gateway_cli", "gateway_prices", "lambda_runtime"}
    for needed in (
        "gateway_construct/_function/.complete",
        "gateway_construct/_function/vendor/httpx/__init__.py",
        "gateway_construct/_function/vendor/licenses/",
        "gateway_construct/py.typed",
        "lambda_runtime/authorizer/index.py",
        "lambda_runtime/consumer_limits/index.py",
        "lambda_runtime/requirements.lock",
        "lambda_runtime/rotation/index.py",
    ):
        assert any(name.startswith(needed) for name in names), needed
    assert [name for name in names if "__pycache__" in name or "test" in name.split("/")[-1]] == [
        "gateway_construct/testing.py"
    ]
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_installed_wheel_synthesizes_what_the_checkout_does(wheel: Path, tmp_path: Path) -> None:
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    uv("venv", "--quiet", "--python", sys.executable, str(environment))
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    # The same versions of the CDK, so that only what is ours can differ.
    uv("pip", "install", "--quiet", "--python", str(python), "--constraint", "requirements.txt", str(wheel))
    elsewhere.mkdir()
    (elsewhere / "app.py").write_text(APP)

    synthesize(["app.py"], tmp_path / "checkout", cwd=elsewhere)
    synthesize(["app.py"], tmp_path / "wheel", cwd=elsewhere, python=str(python))

    checkout, installed = (files(tmp_path / name) for name in ("checkout", "wheel"))
    # These alone name versions, the Python that was running, and whether there was one to compile bytecode.
    of_the_machine = {"tree.json", "Small.metadata.json"}
    assert set(installed) - of_the_machine == set(checkout) - of_the_machine
    assert {name for name in checkout if checkout[name] != installed.get(name)} <= of_the_machine
    [wrapper] = (tmp_path / "wheel").glob("asset.*/exec-wrapper")
    assert wrapper.stat().st_mode & 0o111 == 0o111


def files(assembly: Path) -> dict[str, bytes]:
    """All files of an assembly by name."""
    return {str(path.relative_to(assembly)): path.read_bytes() for path in assembly.rglob("*") if path.is_file()}
