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
from gateway_cli.local.template import of_types, without

BOOTSTRAP_VERSION = "30"
DEPLOY_SECONDS = 120.0
ATTEMPTS = 12
"""How often a stack is tried, each time without what failed before."""

OUTSIDE = frozenset(
    {
        "AWS::Route53::RecordSet",
        "AWS::Route53::RecordSetGroup",
        "Custom::ECRAutoDeleteImages",
        "Custom::LogRetention",
        "Custom::S3AutoDeleteObjects",
        "Custom::VpcRestrictDefaultSG",
    }
)
"""Types that change something which is not there: a name in the DNS, or what the CDK's own custom resources tidy up in an
account. The latter's functions answer over TLS, which the emulator does not speak, so that it would wait for them in vain."""

CUSTOM_SECONDS = 15
"""How long a custom resource may take to answer. CloudFormation waits for an hour."""

_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")
_NOT_THERE = "the embedded AWS does not have it, or has not what it changes"
_PACE = {"Delay": 0.05, "MaxAttempts": int(DEPLOY_SECONDS / 0.05)}
_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployedStack:
    """A stack as it stands in the emulator.

    Args:
        stack: the stack of the assembly.
        physical_ids: physical resource id by logical id.
        left_out: a sentence for each resource that is not deployed.
    """

    stack: Stack
    physical_ids: Mapping[str, str]
    left_out: tuple[str, ...] = ()


class _FailedError(Exception):
    """The emulator could not make some resources.

    Args:
        reasons: why, by logical id; empty if it does not say.
        cause: what the waiter says.
    """

    def __init__(self, reasons: Mapping[str, str], cause: WaiterError) -> None:
        super().__init__(str(cause))
        self.reasons = reasons


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
        template, gone = without(stack.template, of_types(stack.template, OUTSIDE))
        limit_custom_resources(template)
        left_out = _sentences(gone, _NOT_THERE)
        cloudformation = self.emulator.client("cloudformation", region=stack.region)
        bucket = stack.assets[0].bucket if stack.assets else f"local-{stack.account}-{stack.region}"
        for _ in range(ATTEMPTS):
            # Through a bucket, because a template given in the call may have 51,200 bytes only.
            key = f"local-gateway/{stack.name}.json"
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
            try:
                self._change_set(cloudformation, stack.name, f"{self.emulator.endpoint_url}/{bucket}/{key}")
            except ClientError as error:
                refused = _UNRECOGNIZED.search(error.response["Error"].get("Message", ""))
                if not refused:
                    raise LocalGatewayError(f"stack {stack.name!r} is refused by the embedded AWS: {error}") from error
                names = of_types(template, {name.strip() for name in refused[1].split(",")})
                template, gone = without(template, names)
                left_out += _sentences(gone, _NOT_THERE)
            except _FailedError as error:
                template, dropped = _without_failed(stack.name, template, error)
                left_out += dropped
                cloudformation.delete_stack(StackName=stack.name)
                cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig=_PACE)
            else:
                break
        else:
            raise LocalGatewayError(
                f"stack {stack.name!r} cannot be deployed into the embedded AWS: something fails each time, also without\n  "
                + "\n  ".join(left_out)
            )
        return DeployedStack(
            stack=stack, physical_ids=_physical_ids(cloudformation, stack.name), left_out=tuple(sorted(left_out))
        )

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
            found.append(DeployedStack(stack=inner, physical_ids=physical_ids))
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
        try:
            cloudformation.get_waiter("change_set_create_complete").wait(
                ChangeSetName=change_set, StackName=name, WaiterConfig=_PACE
            )
            cloudformation.execute_change_set(ChangeSetName=change_set, StackName=name)
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=_PACE)
        except WaiterError as error:
            pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
            reasons = {
                event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason given")
                for page in pages
                for event in page["StackEvents"]
                if event["ResourceStatus"].endswith("FAILED") and event["LogicalResourceId"] != name
            }
            raise _FailedError(reasons, error) from error


def limit_custom_resources(template: Mapping[str, Any]) -> None:
    """Let no custom resource of a template keep the deployment waiting for longer than `CUSTOM_SECONDS`."""
    for resource in template.get("Resources", {}).values():
        if resource["Type"].startswith(_CUSTOM):
            resource.setdefault("Properties", {})["ServiceTimeout"] = str(CUSTOM_SECONDS)


def _without_failed(stack: str, template: Mapping[str, Any], error: _FailedError) -> tuple[dict[str, Any], list[str]]:
    """A template without what the emulator could not make: an app's other resources must not keep its gateway from running.

    Raises:
        LocalGatewayError: if that would take a REST API apart, or the emulator does not say what failed.
    """
    resources = template.get("Resources", {})
    reasons = {name: reason.partition("\n")[0] for name, reason in error.reasons.items() if name in resources}
    kinds = {resources[name]["Type"] for name in reasons}
    # A custom resource's code wants the account that it is meant for; the next one of its type fails as this one did.
    names = {*reasons, *of_types(template, {kind for kind in kinds if kind.startswith(_CUSTOM)})}
    smaller, gone = without(template, names)
    if not gone or any(kind.startswith("AWS::ApiGateway::") for kind in gone.values()):
        told = [f"{name} ({resources[name]['Type']}): {reason}" for name, reason in reasons.items()] or [str(error)]
        raise LocalGatewayError(f"stack {stack!r} cannot be deployed into the embedded AWS:\n  " + "\n  ".join(told))
    return smaller, [
        sentence
        for name, kind in gone.items()
        for sentence in _sentences(
            {name: kind}, f"the embedded AWS cannot make it: {reasons[name]}" if name in reasons else _NOT_THERE
        )
    ]


def _sentences(gone: Mapping[str, str], reason: str) -> list[str]:
    return [f"{name} ({kind}) is left out: {reason}" for name, kind in gone.items()]


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
