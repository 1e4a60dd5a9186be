"""Templates are synthesized once a session: each costs a noticeable part of a second."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from gateway_construct import AiGateway, Upstream
from tests.configurations import CONFIGURATIONS, stack_of

Json = dict[str, Any]


@functools.cache
def _template(name: str) -> Json:
    return Template.from_stack(stack_of(name)).to_json()


@pytest.fixture(scope="session")
def template_of() -> Callable[[str], Json]:
    """The template of a documented configuration."""
    return _template


@pytest.fixture(params=list(CONFIGURATIONS))
def any_template(request: pytest.FixtureRequest) -> Json:
    """The template of each documented configuration in turn."""
    return _template(request.param)


@pytest.fixture
def stack() -> Stack:
    """An empty stack without feature flags."""
    return Stack(App(), "Stack")


@pytest.fixture
def gateway(stack: Stack) -> AiGateway:
    """A gateway with one upstream in that stack."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()])
