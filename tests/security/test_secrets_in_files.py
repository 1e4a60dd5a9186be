"""What is in the repository, in templates and in assets: no secret that a machine has, and none by its looks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from function_build.sources import BUILT
from tests.lambda_runtime.function_process import ROOT
from tests.security.secret_scan import SecretScan, by_their_looks

MARKED = {
    "OPENAI_API_KEY": "sk-marked-ENVIRONMENT-Q7w8E9r0T1y2",
    "ANTHROPIC_API_KEY": "sk-ant-marked-ENVIRONMENT-a1S2d3F4",
    "HOLYSHEEP_API_KEY": "hs-marked-ENVIRONMENT-g5H6j7K8l9",
    "AWS_SECRET_ACCESS_KEY": "marked/ENVIRONMENT/z9X8c7V6b5N4m3",
    "AWS_SESSION_TOKEN": "IQoJmarkedENVIRONMENTp0O9i8U7y6T5",
}


def test_no_file_of_the_repository_holds_a_real_key() -> None:
    """Those of the index and those that are about to be in it, notebooks, pictures and archives included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert len(paths) > 500
    assert [leak for path in paths for leak in by_their_looks(str(path), path.read_bytes())] == []


def test_no_file_of_the_functions_third_party_part_holds_one() -> None:
    """It is built and in no index, but goes into the wheel and into the asset."""
    # Bytecode is made of the sources.
    paths = [path for path in BUILT.rglob("*") if path.is_file() and path.suffix != ".zip"]
    assert paths
    assert [leak for path in paths for leak in by_their_looks(str(path), path.read_bytes())] == []


@pytest.mark.template
def test_nothing_of_the_environment_gets_into_an_assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Template, assets, manifest and tree of a synth on a machine that has keys: its own, and the providers'."""
    from aws_cdk import App, Stack  # noqa: PLC0415  the other tests do without the CDK

    from gateway_construct import AiGateway, Canary, Rotation, Upstream  # noqa: PLC0415

    for name, value in MARKED.items():
        monkeypatch.setenv(name, value)
    app = App(outdir=str(tmp_path))
    upstreams = [Upstream.openai(rotation=Rotation.staged()), Upstream.anthropic(), Upstream.holysheep()]
    gateway = AiGateway(Stack(app, "Stack"), "Gateway", upstreams=upstreams, release=Canary())
    gateway.add_consumer("search")
    app.synth()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"Stack.template.json", "exec-wrapper", "index.py"} <= {path.name for path in files}
    assert SecretScan(MARKED).leaks_below(tmp_path) == []
    assert [leak for path in files for leak in by_their_looks(str(path), path.read_bytes())] == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "snapshot" / "templates").glob("*.json")), ids=lambda path: path.stem)
def test_no_template_holds_a_value(path: Path) -> None:
    """Neither of a secret, which is generated, nor of a key, which API Gateway makes, nor what would be resolved to one."""
    text = path.read_text("utf-8")
    assert "{{resolve:" not in text
    for name, resource in json.loads(text)["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::SecretsManager::Secret":
            assert "SecretString" not in properties, name
            assert json.loads(properties["GenerateSecretString"]["SecretStringTemplate"]) == {"placeholder": True}, name
        elif resource["Type"] == "AWS::ApiGateway::ApiKey":
            assert "Value" not in properties, name
        elif resource["Type"] == "AWS::Lambda::Function":
            for variable in properties.get("Environment", {}).get("Variables", {}):
                assert not variable.endswith(("_KEY", "_TOKEN", "_PASSWORD")), (name, variable)
