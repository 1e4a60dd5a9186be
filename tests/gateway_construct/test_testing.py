from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Upstream
from gateway_construct.testing import normalise_template
from tests.gateway_construct.resources import synthesized

HASH = "0123456789abcdef0123456789abcdef"


def with_models(models: dict[str, list[str]]) -> Any:
    stack = Stack(None, "Stack")
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], models=models)
    return synthesized(stack)


@pytest.mark.template
def test_another_content_of_the_function_is_the_same_template() -> None:
    one, other = with_models({}), with_models({"a": ["openai/b"]})
    assert one != other
    assert normalise_template(one) == normalise_template(other)


@pytest.mark.template
def test_nothing_is_left_to_change(any_template: Any) -> None:
    text = json.dumps(normalise_template(any_template))
    for resource, properties in any_template["Resources"].items():
        if properties["Type"] in {"AWS::Lambda::Version", "AWS::ApiGateway::Deployment"}:
            assert resource not in text
            assert f"{resource[:-32]}HASH" in text


@pytest.mark.template
def test_the_template_itself_is_not_changed(any_template: Any) -> None:
    before = copy.deepcopy(any_template)
    normalise_template(any_template)
    assert any_template == before


@pytest.mark.template
def test_a_change_of_the_users_stays_visible() -> None:
    one, other = Stack(None, "Stack"), Stack(None, "Stack")
    AiGateway(one, "Gateway", upstreams=[Upstream.openai()])
    AiGateway(other, "Gateway", upstreams=[Upstream.openai()], memory_size=512)
    assert normalise_template(synthesized(one)) != normalise_template(synthesized(other))


def test_every_kind_of_reference_is_masked() -> None:
    version, deployment = f"CurrentVersion1234ABCD{HASH}", f"Deployment1234ABCD{HASH}"
    assert normalise_template(
        {
            "Resources": {
                version: {"Type": "AWS::Lambda::Version", "DependsOn": [deployment]},
                deployment: {"Type": "AWS::ApiGateway::Deployment", "DependsOn": version},
                "Alias": {
                    "Ref": version,
                    "Sub": {"Fn::Sub": f"${{{version}.Version}}"},
                    "Att": {"Fn::GetAtt": [version, "Version"]},
                },
                "Function": {"Code": {"S3Key": f"{HASH}{HASH}.zip"}},
                "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:..."}},
            },
            "Outputs": {"Version": {"Value": {"Ref": version}}},
        },
    ) == {
        "Resources": {
            "CurrentVersion1234ABCDHASH": {"Type": "AWS::Lambda::Version", "DependsOn": ["Deployment1234ABCDHASH"]},
            "Deployment1234ABCDHASH": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "CurrentVersion1234ABCDHASH"},
            "Alias": {
                "Ref": "CurrentVersion1234ABCDHASH",
                "Sub": {"Fn::Sub": "${CurrentVersion1234ABCDHASH.Version}"},
                "Att": {"Fn::GetAtt": ["CurrentVersion1234ABCDHASH", "Version"]},
            },
            "Function": {"Code": {"S3Key": "HASH.zip"}},
            "CDKMetadata": {"Type": "AWS::CDK::Metadata"},
        },
        "Outputs": {"Version": {"Value": {"Ref": "CurrentVersion1234ABCDHASH"}}},
    }


def test_what_only_looks_like_a_hash_stays() -> None:
    template = {
        "Resources": {f"Mine{HASH}": {"Type": "AWS::S3::Bucket", "Value": HASH, "Number": 1, "Flag": True, "None": None}}
    }
    assert normalise_template(template) == template


def test_a_template_without_resources() -> None:
    assert normalise_template({}) == {}
