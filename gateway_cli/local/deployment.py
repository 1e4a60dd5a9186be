"""Deploys stacks into the emulator: assets first, then a change set, as the CDK CLI does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.local.alarms.definitions import pack
from gateway_cli.local.assembly import Asset, Stack
from gateway_cli.local.change_sets import PACE, ChangeKind, FailedChangeError, NoChangesError, change
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.template import of_types, without
from gateway_cli.local.zips import zip_directory

BOOTSTRAP_VERSION = "30"
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
_OWN = "Custom::AiGateway"
_TEMPLATE = ".template.json"
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


@dataclass(slots=True)
class Deployer:
    """Deploys stacks and remembers which code it uploaded.

    Args:
        emulator: where to deploy to.
    """

    emulator: Emulator
    code_directories: dict[str, Path] = field(default_factory=dict)
    """Directory by base64 SHA-256 of its zip, which is how Lambda names a version's code."""
    _left_out: dict[str, set[str]] = field(default_factory=dict)
    """Logical ids by the name of the stack that does not have them here."""
    _nested: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Where the template of each nested stack is, by logical id and by the name of the stack around it."""

    def deploy(self, stack: Stack) -> DeployedStack:
        """Upload a stack's assets and create the stack.

        What the emulator cannot make is left out, so that an app's other resources do not keep its gateway from running.

        Raises:
            LocalGatewayError: if the emulator refuses it; the message has its reasons.
        """
        self._upload(stack)
        template, gone = without(stack.template, of_types(stack.template, OUTSIDE))
        prepare(template)
        left_out = _sentences(gone, _NOT_THERE)
        cloudformation = self.emulator.client("cloudformation", region=stack.region)
        for _ in range(ATTEMPTS):
            try:
                template, more = self._apply(cloudformation, stack, template, "CREATE")
                left_out += more
            except FailedChangeError as error:
                template, more = _without_failed(stack.name, template, error)
                left_out += more
                cloudformation.delete_stack(StackName=stack.name)
                cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig=PACE)
            else:
                break
        else:
            raise LocalGatewayError(
                f"stack {stack.name!r} cannot be deployed into the embedded AWS: something fails each time, also without\n  "
                + "\n  ".join(left_out)
            )
        return self._deployed(cloudformation, stack, template, left_out)

    def update(self, stack: Stack) -> DeployedStack | None:
        """Update a stack that `deploy` has created, without what was left out then. None if nothing has changed.

        Raises:
            LocalGatewayError: if the emulator refuses it, or something fails; the stack is then as it was before.
        """
        if _nested_templates(stack) != self._nested[stack.name]:
            # It would forget what it knows of the inner resources, and could not go back either.
            raise LocalGatewayError(
                f"stack {stack.name!r} has a nested stack that has changed, which the embedded AWS cannot update; start again"
            )
        self._upload(stack)
        before = self._left_out[stack.name]
        template, gone = without(stack.template, of_types(stack.template, OUTSIDE) | (before & stack.resources.keys()))
        prepare(template)
        left_out = _sentences({name: kind for name, kind in gone.items() if name not in before}, _NOT_THERE)
        cloudformation = self.emulator.client("cloudformation", region=stack.region)
        try:
            template, more = self._apply(cloudformation, stack, template, "UPDATE")
        except NoChangesError:
            return None
        except FailedChangeError as error:
            raise LocalGatewayError(
                f"stack {stack.name!r} is as it was before; its update failed:\n  " + "\n  ".join(_told(template, error))
            ) from error
        return self._deployed(cloudformation, stack, template, left_out + more)

    def stands(self, stack: Stack) -> bool:
        """Whether `deploy` has created a stack."""
        return stack.name in self._left_out

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

    def _apply(
        self, cloudformation: Any, stack: Stack, template: dict[str, Any], kind: ChangeKind
    ) -> tuple[dict[str, Any], list[str]]:
        """Have a template carried out, without the types that the emulator does not have.

        Returns:
            The template that was, and a sentence for each resource that was left out.

        Raises:
            FailedChangeError: if a resource fails.
            NoChangesError: if an update changes nothing.
            LocalGatewayError: if the emulator refuses it for another reason.
        """
        left_out: list[str] = []
        s3 = self.emulator.client("s3", region=stack.region)
        bucket = _bucket(stack)
        while True:
            # Through a bucket, because a template given in the call may have 51,200 bytes only.
            key = f"local-gateway/{stack.name}.json"
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
            try:
                change(cloudformation, stack.name, f"{self.emulator.endpoint_url}/{bucket}/{key}", kind)
            except ClientError as error:
                refused = _UNRECOGNIZED.search(error.response["Error"].get("Message", ""))
                names = of_types(template, {name.strip() for name in refused[1].split(",")}) if refused else set()
                if not names:
                    raise LocalGatewayError(f"stack {stack.name!r} is refused by the embedded AWS: {error}") from error
                template, gone = without(template, names)
                left_out += _sentences(gone, _NOT_THERE)
            else:
                return template, left_out

    def _upload(self, stack: Stack) -> None:
        self._bootstrap(stack)
        s3 = self.emulator.client("s3", region=stack.region)
        for asset in stack.assets:
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=self._content(asset))

    def _deployed(self, cloudformation: Any, stack: Stack, template: Mapping[str, Any], left_out: list[str]) -> DeployedStack:
        self._left_out[stack.name] = stack.resources.keys() - template["Resources"].keys()
        self._nested[stack.name] = _nested_templates(stack)
        return DeployedStack(
            stack=stack, physical_ids=_physical_ids(cloudformation, stack.name), left_out=tuple(sorted(left_out))
        )

    def _bootstrap(self, stack: Stack) -> None:
        """What `cdk bootstrap` leaves behind, as far as a deployment reads it."""
        s3 = self.emulator.client("s3", region=stack.region)
        for bucket in {asset.bucket for asset in stack.assets} | {_bucket(stack)}:
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
                location = {"CreateBucketConfiguration": {"LocationConstraint": stack.region}}
                s3.create_bucket(Bucket=bucket, **(location if stack.region != "us-east-1" else {}))
        if stack.bootstrap_parameter:
            self.emulator.client("ssm", region=stack.region).put_parameter(
                Name=stack.bootstrap_parameter, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
            )

    def _content(self, asset: Asset) -> bytes:
        if not asset.zipped:
            content = asset.path.read_bytes()
            return _prepared(content) if asset.path.name.endswith(_TEMPLATE) else content
        content = zip_directory(asset.path) if asset.path.is_dir() else asset.path.read_bytes()
        if asset.path.is_dir():
            self.code_directories[base64.b64encode(hashlib.sha256(content).digest()).decode()] = asset.path
        return content


def prepare(template: Mapping[str, Any]) -> None:
    """Make a template such that the emulator takes it, and does not wait for what never comes."""
    limit_custom_resources(template)
    pack(template)


def limit_custom_resources(template: Mapping[str, Any]) -> None:
    """Let no custom resource of a template keep the deployment waiting for longer than `CUSTOM_SECONDS`, but the gateway's."""
    for resource in template.get("Resources", {}).values():
        if resource["Type"].startswith(_CUSTOM) and not resource["Type"].startswith(_OWN):
            resource.setdefault("Properties", {})["ServiceTimeout"] = str(CUSTOM_SECONDS)


def _without_failed(stack: str, template: Mapping[str, Any], error: FailedChangeError) -> tuple[dict[str, Any], list[str]]:
    """A template without what the emulator could not make.

    Raises:
        LocalGatewayError: if that would take a REST API apart, or the emulator does not say what failed.
    """
    resources = template.get("Resources", {})
    reasons = _reasons(template, error)
    kinds = {resources[name]["Type"] for name in reasons}
    # A custom resource's code wants the account that it is meant for; the next one of its type fails as this one did.
    names = {*reasons, *of_types(template, {kind for kind in kinds if kind.startswith(_CUSTOM)})}
    smaller, gone = without(template, names)
    if not gone or any(kind.startswith("AWS::ApiGateway::") for kind in gone.values()):
        raise LocalGatewayError(
            f"stack {stack!r} cannot be deployed into the embedded AWS:\n  " + "\n  ".join(_told(template, error))
        )
    return smaller, [
        sentence
        for name, kind in gone.items()
        for sentence in _sentences(
            {name: kind}, f"the embedded AWS cannot make it: {reasons[name]}" if name in reasons else _NOT_THERE
        )
    ]


def _reasons(template: Mapping[str, Any], error: FailedChangeError) -> dict[str, str]:
    resources = template.get("Resources", {})
    return {name: reason.partition("\n")[0] for name, reason in error.reasons.items() if name in resources}


def _told(template: Mapping[str, Any], error: FailedChangeError) -> list[str]:
    kinds = {name: resource["Type"] for name, resource in template.get("Resources", {}).items()}
    return [f"{name} ({kinds[name]}): {reason}" for name, reason in _reasons(template, error).items()] or [str(error)]


def _prepared(template: bytes) -> bytes:
    """A nested stack's template."""
    value = json.loads(template)
    prepare(value)
    return json.dumps(value).encode()


def _bucket(stack: Stack) -> str:
    return stack.assets[0].bucket if stack.assets else f"local-{stack.account}-{stack.region}"


def _sentences(gone: Mapping[str, str], reason: str) -> list[str]:
    return [f"{name} ({kind}) is left out: {reason}" for name, kind in gone.items()]


def _physical_ids(cloudformation: Any, stack: str) -> dict[str, str]:
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
    }


def _nested_templates(stack: Stack) -> dict[str, Any]:
    return {
        name: stack.resources[name].get("Properties", {}).get("TemplateURL")
        for name in of_types(stack.template, {"AWS::CloudFormation::Stack"})
    }


def _nested_template(resource: Mapping[str, Any], stack: Stack) -> Asset | None:
    """The asset that holds a nested stack's template: the one whose key its URL ends in."""
    url = json.dumps(resource.get("Properties", {}).get("TemplateURL"))
    return next((asset for asset in stack.assets if f"/{asset.key}" in url), None)
