import json
from pathlib import Path
from typing import Any

import pytest

from gateway_cli.local.assembly import read_assembly
from gateway_cli.local.errors import LocalGatewayError


def write(directory: Path, artifacts: dict[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def stack(
    directory: Path, name: str, *dependencies: str, environment: str = "aws://unknown-account/unknown-region"
) -> dict[str, Any]:
    (directory / f"{name}.template.json").write_text(json.dumps({"Resources": {name: {"Type": "AWS::S3::Bucket"}}}))
    return {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {"templateFile": f"{name}.template.json"},
        "dependencies": list(dependencies),
        "displayName": f"{name} (shown)",
    }


def test_stacks_come_after_those_they_depend_on(tmp_path: Path) -> None:
    write(tmp_path, {"B": stack(tmp_path, "B", "A"), "A": stack(tmp_path, "A")})
    assert [found.name for found in read_assembly(tmp_path)] == ["A", "B"]


def test_stacks_of_stages_are_read(tmp_path: Path) -> None:
    inner = tmp_path / "assembly-Prod"
    inner.mkdir()
    write(inner, {"Inner": stack(inner, "Inner")})
    write(tmp_path, {"Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}})
    (found,) = read_assembly(tmp_path)
    assert (found.name, found.display_name, list(found.resources)) == ("Inner", "Inner (shown)", ["Inner"])


def test_assets_are_found_with_their_places_filled_in(tmp_path: Path) -> None:
    destination = {"bucketName": "b-${AWS::AccountId}-${AWS::Region}", "objectKey": "k.zip"}
    asset = {"source": {"path": "asset.1", "packaging": "zip"}, "destinations": {"here": destination}}
    (tmp_path / "S.assets.json").write_text(json.dumps({"files": {"1": asset}}))
    artifacts = {
        "S": stack(tmp_path, "S", "S.assets", environment="aws://111122223333/eu-central-1"),
        "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
    }
    write(tmp_path, artifacts)
    (found,) = read_assembly(tmp_path)
    (only,) = found.assets
    assert (only.bucket, only.key, only.zipped) == ("b-111122223333-eu-central-1", "k.zip", True)
    assert only.path == tmp_path / "asset.1"


def test_an_environment_that_is_left_open_has_a_default(tmp_path: Path) -> None:
    write(tmp_path, {"S": stack(tmp_path, "S")})
    (found,) = read_assembly(tmp_path)
    assert (found.account, found.region) == ("000000000000", "us-east-1")


def test_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(LocalGatewayError, match="run 'cdk synth' first or name one with --assembly"):
        read_assembly(tmp_path)


def test_a_broken_assembly(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(LocalGatewayError, match="write it anew with 'cdk synth'"):
        read_assembly(tmp_path)
