"""The model map of the context block: every spelling of a route, and what is said about a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_app.context import read_context
from gateway_app.json_value import ContextError
from gateway_construct import Delivery, ModelRoute, Target

pytestmark = pytest.mark.template


def read(route: object) -> Any:
    """The route that a block with it for `gpt-4` gives."""
    return read_context({"upstreams": ["openai"], "models": {"gpt-4": route}}).settings["models"]["gpt-4"]


@pytest.mark.parametrize(
    ("value", "route"),
    [
        (["openai/a", "openai/b"], ModelRoute(["openai/a", "openai/b"])),
        ([{"name": "openai/a", "weight": 5}, "openai/b"], ModelRoute([Target("openai/a", weight=5), "openai/b"])),
        (
            ["openai/a", {"name": "openai/b", "larger_context": True, "weight": None}],
            ModelRoute(["openai/a", Target("openai/b", larger_context=True)]),
        ),
        ({"targets": ["openai/a"]}, ModelRoute(["openai/a"])),
        (
            {"targets": [{"name": "openai/a"}], "delivery": "whole", "first_content": 60},
            ModelRoute(["openai/a"], delivery=Delivery.WHOLE, first_content=60),
        ),
        ({"targets": ["openai/a"], "delivery": "streamed", "first_content": None}, ModelRoute(["openai/a"])),
    ],
)
def test_routes(value: object, route: ModelRoute) -> None:
    assert read(value) == route


# What is wrong, the path that the message must begin with, and what else it must say: the value received and the way out.
WRONG: list[tuple[object, str, list[str]]] = [
    ([], "ai-gateway.models.gpt-4", ["[]", "upstream/model"]),
    ("openai/gpt-4.1", "ai-gateway.models.gpt-4 must be a list", ["'openai/gpt-4.1'"]),
    (["gpt-4.1"], "ai-gateway.models.gpt-4[0]", ["'gpt-4.1'", "upstream/model"]),
    (["opnai/x"], "ai-gateway.models.gpt-4[0]", ["'opnai/x'", "did you mean 'openai'?"]),
    ({"targets": []}, "ai-gateway.models.gpt-4.targets must not be empty", ["[]", "upstream/model"]),
    ({"delivery": "whole"}, "ai-gateway.models.gpt-4.targets is missing", ["delivery"]),
    (
        {"target": ["openai/a"]},
        "ai-gateway.models.gpt-4.target is no setting",
        ["did you mean 'targets'?"],
    ),
    ({"targets": ["opnai/x"]}, "ai-gateway.models.gpt-4.targets[0]", ["did you mean 'openai'?"]),
    (["openai/a", "openai/a"], "ai-gateway.models.gpt-4", ["'openai/a'", "given twice"]),
    ([{"weight": 5}], "ai-gateway.models.gpt-4[0].name is missing", ["weight"]),
    (
        [{"name": "openai/a", "weigth": 5}],
        "ai-gateway.models.gpt-4[0].weigth",
        ["5", "did you mean 'weight'?"],
    ),
    (
        [{"name": "openai/a", "weight": "5 %"}],
        "ai-gateway.models.gpt-4[0].weight",
        ["'5 %'", "percentage from 0 to 100"],
    ),
    ([{"name": "openai/a", "weight": True}], "ai-gateway.models.gpt-4[0].weight", ["True"]),
    ([{"name": "openai/a", "weight": 101}], "ai-gateway.models.gpt-4[0].weight", ["101"]),
    ([{"name": "openai/a", "weight": 5}], "ai-gateway.models.gpt-4", ["add up to 5", "openai/a"]),
    (
        [{"name": "openai/a", "larger_context": "yes"}],
        "ai-gateway.models.gpt-4[0].larger_context",
        ["'yes'", "true or false"],
    ),
    (
        {"targets": ["openai/a"], "delivery": "hole"},
        "ai-gateway.models.gpt-4.delivery",
        ["'hole'", "did you mean 'whole'?", "streamed"],
    ),
    (
        {"targets": ["openai/a"], "first_content": 0},
        "ai-gateway.models.gpt-4.first_content",
        ["0", "above 0"],
    ),
]


@pytest.mark.parametrize(
    ("route", "path", "says"), WRONG, ids=[f"{number}-{path}" for number, (_, path, _) in enumerate(WRONG)]
)
def test_errors_name_path_value_and_way_out(route: object, path: str, says: list[str]) -> None:
    with pytest.raises(ContextError) as caught:
        read(route)
    message = str(caught.value)
    assert message.startswith(path), message
    for part in says:
        assert part in message
