"""Deploys stacks into the emulator: assets first, then a change set, as the CDK CLI does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from gateway_cli.local.assembly import Asset, Stack
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.template import without_types

BOOTSTRAP_VERSION = "30"
DEPLOY_SECONDS = 120.0

OUTSIDE = frozenset({"AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup"})
"""Types that change something outside of the stacks, which is not there; a name in the DNS is of no use on this machine."""

_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployedStack:
    """A stack as it stands in the emulator.

    Args:
        stack: the stack of the assembly.
        physical_ids: physical resource id by logical id.
        left_out: type by logical id of the resources that the emulator does not take.
    """

    stack: Stack
    physical_ids: Mapping[str, str]
    left_out: Mapping[str, str]


@dataclass(slots=True)
class Deployer:
    """Deploys stacks and remembers which code it uploaded.

    Args:
        emulator: where to deploy to.
    """

    emulator: Emulator
    code_directories: dict[str, Path] = field(default_factory=dict)
    """Directory by base64 SHA-256 of its zip, which is how Lambda names a version's code."""

    def deploy(self, stack: Stack) -> DeployedStack:
        """Upload a stack's assets and create the stack.

        Raises:
            LocalGatewayError: if the emulator refuses it; the message has its reasons.
        """
        self._bootstrap(stack)
        s3 = self.emulator.client("s3", region=stack.region)
        for asset in stack.assets:
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=self._content(asset))
        template, left_out = without_types(stack.template, OUTSIDE)
        cloudformation = self.emulator.client("cloudformation", region=stack.region)
        bucket = stack.assets[0].bucket if stack.assets else f"local-{stack.account}-{stack.region}"
        for _ in range(5):
            # Through a bucket, because a template given in the call may have 51,200 bytes only.
            key = f"local-gateway/{stack.name}.json"
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
            try:
                self._change_set(cloudformation, stack.name, f"{self.emulator.endpoint_url}/{bucket}/{key}")
            except ClientError as error:
                refused = _UNRECOGNIZED.search(error.response["Error"].get("Message", ""))
                if not refused:
                    raise LocalGatewayError(f"stack {stack.name!r} is refused by the embedded AWS: {error}") from error
                template, gone = without_types(template, {name.strip() for name in refused[1].split(",")})
                left_out |= gone
            else:
                break
        return DeployedStack(stack=stack, physical_ids=_physical_ids(cloudformation, stack.name), left_out=left_out)

    def nested(self, deployed: DeployedStack) -> list[DeployedStack]:
        """The stacks nested in a deployed one, at any depth."""
        found: list[DeployedStack] = []
        cloudformation = self.emulator.client("cloudformation", region=deployed.stack.region)
        for name, resource in deployed.stack.resources.items():
            asset = _nested_template(resource, deployed.stack) if resource["Type"] == "AWS::CloudFormation::Stack" else None
            if asset is None or name not in deployed.physical_ids:
                continue
            inner = replace(
                deployed.stack,
                display_name=f"{deployed.stack.display_name}/{name}",
                template=json.loads(asset.path.read_text("utf-8")),
            )
            physical_ids = _physical_ids(cloudformation, deployed.physical_ids[name])
            found.append(DeployedStack(stack=inner, physical_ids=physical_ids, left_out={}))
            found += self.nested(found[-1])
        return found

    def _bootstrap(self, stack: Stack) -> None:
        """What `cdk bootstrap` leaves behind, as far as a deployment reads it."""
        s3 = self.emulator.client("s3", region=stack.region)
        for bucket in {asset.bucket for asset in stack.assets} or {f"local-{stack.account}-{stack.region}"}:
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
                location = {"CreateBucketConfiguration": {"LocationConstraint": stack.region}}
                s3.create_bucket(Bucket=bucket, **(location if stack.region != "us-east-1" else {}))
        if stack.bootstrap_parameter:
            self.emulator.client("ssm", region=stack.region).put_parameter(
                Name=stack.bootstrap_parameter, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
            )

    def _content(self, asset: Asset) -> bytes:
        if not asset.zipped:
            return asset.path.read_bytes()
        content = zip_directory(asset.path) if asset.path.is_dir() else asset.path.read_bytes()
        if asset.path.is_dir():
            self.code_directories[base64.b64encode(hashlib.sha256(content).digest()).decode()] = asset.path
        return content

    @staticmethod
    def _change_set(cloudformation: Any, name: str, template_url: str) -> None:
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName="local-gateway",
            ChangeSetType="CREATE",
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )["Id"]
        pace = {"Delay": 0.05, "MaxAttempts": int(DEPLOY_SECONDS / 0.05)}
        try:
            cloudformation.get_waiter("change_set_create_complete").wait(
                ChangeSetName=change_set, StackName=name, WaiterConfig=pace
            )
            cloudformation.execute_change_set(ChangeSetName=change_set, StackName=name)
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=pace)
        except WaiterError as error:
            reasons = [
                f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
                for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]
                if event["ResourceStatus"].endswith("FAILED")
            ]
            raise LocalGatewayError(
                f"stack {name!r} cannot be deployed into the embedded AWS:\n  " + "\n  ".join(reasons or [str(error)])
            ) from error


def _physical_ids(cloudformation: Any, stack: str) -> dict[str, str]:
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
    }


def _nested_template(resource: Mapping[str, Any], stack: Stack) -> Asset | None:
    """The asset that holds a nested stack's template: the one whose key its URL ends in."""
    url = json.dumps(resource.get("Properties", {}).get("TemplateURL"))
    return next((asset for asset in stack.assets if f"/{asset.key}" in url), None)


def zip_directory(directory: Path) -> bytes:
    """A directory as a zip with the times and permissions that the CDK CLI gives it, executable bits included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(path.stat().st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def unzip_directory(content: bytes, directory: Path) -> None:
    """The reverse of `zip_directory`: files with their executable bits. Entries never leave the directory."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, directory))
            mode = stat.S_IMODE(entry.external_attr >> 16)
            if mode and path.is_file():
                path.chmod(mode | stat.S_IRUSR)
