from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import gateway_function, of_type, synthesized

pytestmark = pytest.mark.template


def test_the_function(template_of: Callable[[str], Any]) -> None:
    function = gateway_function(template_of("smallest"))
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["MemorySize"] == 256
    assert function["Timeout"] == 900
    assert not {"ReservedConcurrentExecutions", "TracingConfig", "SnapStart", "FunctionName", "VpcConfig"} & function.keys()


def test_its_props(template_of: Callable[[str], Any]) -> None:
    template = template_of("everything")
    function = gateway_function(template)
    assert function["Architectures"] == ["x86_64"]
    assert function["MemorySize"] == 512
    assert function["Timeout"] == 600
    assert function["ReservedConcurrentExecutions"] == 100
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["TracingConfig"] == {"Mode": "Active"}


def test_its_logs_go_to_its_own_group(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    group = gateway_function(template)["LoggingConfig"]["LogGroup"]["Ref"]
    resource = template["Resources"][group]
    assert resource["Properties"] == {"RetentionInDays": 90}
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_logs_can_be_short_lived(template_of: Callable[[str], Any]) -> None:
    template = template_of("everything")
    groups = of_type(template, "Logs::LogGroup")
    assert len(groups) == 3
    for name, group in groups.items():
        assert group["RetentionInDays"] == 7
        assert template["Resources"][name]["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"memory_size": 64}, "memory_size must be a whole number of MiB from 128 to 10240, got 64"),
        ({"memory_size": 256.5}, "got 256.5"),
        (
            {"timeout": Duration.minutes(16)},
            "timeout must be a whole number of seconds from 1 second to 15 minutes, got 16 minutes",
        ),
        ({"timeout": Duration.seconds(0)}, "timeout must be a whole number of seconds"),
        ({"timeout": Duration.millis(1500)}, "timeout must be a whole number of seconds"),
        ({"reserved_concurrency": 0}, "reserved_concurrency must be at least 1, got 0; 0 would refuse every request"),
    ],
)
def test_mistakes_are_explained(stack: Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], **props)


def test_numbers_may_be_known_at_deployment_only(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        memory_size=number,
        reserved_concurrency=number,
        timeout=Duration.seconds(number),
    )
    function = gateway_function(synthesized(stack))
    for prop in ("MemorySize", "ReservedConcurrentExecutions", "Timeout"):
        assert function[prop] == {"Ref": "Number"}


def test_a_changed_model_map_is_a_new_version() -> None:
    def version(models: dict[str, list[str]]) -> str:
        stack = Stack(None, "Stack")
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], models=models)
        (name,) = of_type(synthesized(stack), "Lambda::Version")
        return name

    assert version({"a": ["openai/b"]}) == version({"a": ["openai/b"]})
    assert version({"a": ["openai/b"]}) != version({"a": ["openai/c"]})


def test_two_gateways_in_one_stack(stack: Stack) -> None:
    AiGateway(stack, "One", upstreams=[Upstream.openai()])
    AiGateway(stack, "Two", upstreams=[Upstream.openai()])
    template = synthesized(stack)
    assert len(of_type(template, "ApiGateway::RestApi")) == 2
    names = {api["Name"] for api in of_type(template, "ApiGateway::RestApi").values()}
    assert len(names) == 2
