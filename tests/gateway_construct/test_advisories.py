from __future__ import annotations

import pytest
from aws_cdk import Annotations as Acknowledge
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match
from aws_cdk.aws_kms import Key

from gateway_construct import AiGateway, AuthStyle, Plan, Quota, Upstream

pytestmark = pytest.mark.template

LIMITED = Plan(rate=1, quota=Quota.per_day(1))


def warnings(stack: Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [str(message.entry.data) for message in found]


def test_nobody_can_call(stack: Stack, gateway: AiGateway) -> None:
    assert gateway
    (warning,) = warnings(stack)
    assert "the gateway has no consumer, so nobody can call it; use add_consumer" in warning


def test_somebody_can_call(stack: Stack, gateway: AiGateway) -> None:
    gateway.add_consumer("search", plan=LIMITED)
    assert not warnings(stack)


def test_it_can_be_acknowledged(stack: Stack, gateway: AiGateway) -> None:
    Acknowledge.of(gateway).acknowledge_warning("cdk-ai-gateway:no-consumer")
    assert not warnings(stack)


def test_a_consumer_without_limits(stack: Stack, gateway: AiGateway) -> None:
    gateway.add_consumer("search")
    gateway.add_consumer("batch", plan=LIMITED)
    (warning,) = warnings(stack)
    assert "consumer 'search' has no limit but the account's own" in warning
    assert "[ack: cdk-ai-gateway:unlimited-plan]" in warning


@pytest.mark.parametrize(
    ("base_url", "warned"),
    [
        ("http://llm.internal/v1", True),
        ("http://10.0.0.1:8000/v1", True),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("https://llm.internal/v1", False),
    ],
)
def test_an_upstream_without_tls(stack: Stack, base_url: str, warned: bool) -> None:
    upstream = Upstream.openai_compatible("vllm", base_url=base_url, auth=AuthStyle.NONE)
    AiGateway(stack, "Gateway", upstreams=[upstream]).add_consumer("search", plan=LIMITED)
    found = warnings(stack)
    assert bool(found) is warned
    assert all(f"upstream 'vllm' is reached without TLS at '{base_url}'" in warning for warning in found)


def test_an_imported_key(stack: Stack) -> None:
    key = Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-central-1:111122223333:key/11112222-3333-4444-5555-666677778888")
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], encryption_key=key)
    gateway.add_consumer("search", plan=LIMITED)
    (warning,) = warnings(stack)
    assert "encryption_key is imported, so its policy cannot be extended here" in warning


def test_snap_start_needs_no_advice(stack: Stack) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], snap_start=True).add_consumer("search", plan=LIMITED)
    assert not warnings(stack)
