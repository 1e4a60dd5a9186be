"""With and without the feature flags that the CDK recommends, a gateway is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.configurations import CONFIGURATIONS, stack_of
from tests.gateway_construct.resources import of_type

pytestmark = pytest.mark.template

FLAGS = {
    name: value
    for name, value in json.loads(Path(__file__).parents[2].joinpath("cdk.json").read_text("utf-8"))["context"].items()
    if name.startswith("@aws-cdk")
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_resources_are_the_same(template_of: Any, name: str) -> None:
    flagged = Template.from_stack(stack_of(name, context=FLAGS)).to_json()
    plain = template_of(name)
    for kind in sorted({resource["Type"].removeprefix("AWS::") for resource in plain["Resources"].values()}):
        if kind in {"Lambda::Version", "ApiGateway::Deployment"}:
            assert len(of_type(flagged, kind)) == len(of_type(plain, kind)) == 1
        else:
            assert set(of_type(flagged, kind)) == set(of_type(plain, kind)), kind
    assert len(flagged["Resources"]) == len(plain["Resources"])
