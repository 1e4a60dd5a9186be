from typing import Any

import pytest

from gateway_cli.local.assembly import Stack
from gateway_cli.local.deployment import CUSTOM_SECONDS, Deployer, limit_custom_resources
from gateway_cli.local.errors import LocalGatewayError


def test_no_custom_resource_may_take_an_hour() -> None:
    resources = {
        "Named": {"Type": "Custom::Mine", "Properties": {"ServiceToken": "t", "ServiceTimeout": "3600"}},
        "Plain": {"Type": "AWS::CloudFormation::CustomResource"},
        "Other": {"Type": "AWS::SQS::Queue"},
        "Ours": {"Type": "Custom::AiGatewayRelease", "Properties": {"ServiceTimeout": "60"}},
    }
    limit_custom_resources({"Resources": resources})
    limit = str(CUSTOM_SECONDS)
    assert resources["Named"]["Properties"] == {"ServiceToken": "t", "ServiceTimeout": limit}
    assert resources["Plain"] == {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceTimeout": limit}}
    assert resources["Other"] == {"Type": "AWS::SQS::Queue"}
    # It knows how long it may take, and the gateway does not run without it.
    assert resources["Ours"]["Properties"] == {"ServiceTimeout": "60"}


def test_a_nested_stack_that_has_changed_is_not_updated() -> None:
    inner: dict[str, Any] = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3/new.json"}}
    stack = Stack(name="Outer", display_name="Outer", account="0", region="r", template={"Resources": {"Inner": inner}})
    # Nothing is asked of an emulator before.
    deployer = Deployer(None, _nested={"Outer": {"Inner": "https://s3/old.json"}})  # type: ignore[arg-type]
    with pytest.raises(LocalGatewayError, match="a nested stack that has changed, which the embedded AWS cannot update; start"):
        deployer.update(stack)
