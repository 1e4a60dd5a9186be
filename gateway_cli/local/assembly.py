"""Reads the cloud assembly that `cdk synth` writes: stacks, templates and file assets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_cli.local.errors import LocalGatewayError

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"

_ENVIRONMENT = re.compile(r"aws://([^/]+)/(.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A file or directory that is uploaded before its stack is deployed.

    Args:
        path: the file, or the directory to be zipped.
        zipped: whether it is a directory to be zipped.
        bucket: name of its bucket, placeholders filled in.
        key: name of its object.
    """

    path: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A stack of the assembly.

    Args:
        name: its name in CloudFormation.
        display_name: how the CDK prints it.
        account: account id of its environment, `DEFAULT_ACCOUNT` where the app leaves it open.
        region: Region of its environment, `DEFAULT_REGION` where the app leaves it open.
        template: the template.
        assets: what it needs uploaded.
        bootstrap_parameter: name of the SSM parameter that tells the bootstrap version, if the template reads one.
    """

    name: str
    display_name: str
    account: str
    region: str
    template: dict[str, Any]
    assets: tuple[Asset, ...] = ()
    bootstrap_parameter: str | None = None

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The template's resources by logical id."""
        found: dict[str, dict[str, Any]] = self.template.get("Resources", {})
        return found


@dataclass(slots=True)
class _Reader:
    root: Path
    stacks: list[Stack] = field(default_factory=list)

    def read(self, directory: Path) -> None:
        manifest = _json(directory / "manifest.json")
        artifacts: dict[str, dict[str, Any]] = manifest.get("artifacts", {})
        done: set[str] = set()

        def visit(name: str) -> None:
            artifact = artifacts.get(name)
            if artifact is None or name in done:
                return
            done.add(name)
            for dependency in artifact.get("dependencies", []):
                visit(dependency)
            if artifact["type"] == "aws:cloudformation:stack":
                self.stacks.append(_stack(directory, name, artifact, artifacts))
            elif artifact["type"] == "cdk:cloud-assembly":
                self.read(directory / artifact["properties"]["directoryName"])

        for name in artifacts:
            visit(name)


def read_assembly(directory: Path) -> list[Stack]:
    """The stacks of a cloud assembly, those of its stages included, each after the ones that it depends on.

    Raises:
        LocalGatewayError: if there is no assembly in that directory, or it cannot be read.
    """
    if not (directory / "manifest.json").is_file():
        raise LocalGatewayError(f"no cloud assembly at {str(directory)!r}; run 'cdk synth' first or name one with --assembly")
    reader = _Reader(directory)
    try:
        reader.read(directory.resolve())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LocalGatewayError(
            f"the cloud assembly at {str(directory)!r} cannot be read: {error!r}; write it anew with 'cdk synth'"
        ) from error
    return reader.stacks


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def _stack(directory: Path, name: str, artifact: dict[str, Any], artifacts: dict[str, dict[str, Any]]) -> Stack:
    properties = artifact["properties"]
    match = _ENVIRONMENT.fullmatch(artifact.get("environment", ""))
    account, region = match.groups() if match else (DEFAULT_ACCOUNT, DEFAULT_REGION)
    account = DEFAULT_ACCOUNT if account == "unknown-account" else account
    region = DEFAULT_REGION if region == "unknown-region" else region
    assets: list[Asset] = []
    for dependency in artifact.get("dependencies", []):
        other = artifacts.get(dependency, {})
        if other.get("type") == "cdk:asset-manifest":
            assets += _assets(directory / other["properties"]["file"], account, region)
    return Stack(
        name=properties.get("stackName", name),
        display_name=artifact.get("displayName", name),
        account=account,
        region=region,
        template=_json(directory / properties["templateFile"]),
        assets=tuple(assets),
        bootstrap_parameter=properties.get("bootstrapStackVersionSsmParameter"),
    )


def _assets(manifest: Path, account: str, region: str) -> list[Asset]:
    def fill(text: str) -> str:
        return text.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region).replace("${AWS::Partition}", "aws")

    assets: list[Asset] = []
    for entry in _json(manifest).get("files", {}).values():
        source = entry["source"]
        if "path" not in source:
            raise ValueError(
                f"asset {entry.get('displayName', source)!r} is made by a command; only files and directories work"
            )
        assets.extend(
            Asset(
                path=manifest.parent / source["path"],
                zipped=source.get("packaging") == "zip",
                bucket=fill(destination["bucketName"]),
                key=fill(destination["objectKey"]),
            )
            for destination in entry["destinations"].values()
        )
    return assets
