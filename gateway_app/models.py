"""The model map as the context block describes it: a list of targets, or an object that says more about one name."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_app.json_value import ContextError, JsonValue, blamed_on
from gateway_construct import Delivery, ModelRoute, Target

_DELIVERIES = {str(delivery): delivery for delivery in Delivery}


def read_models(value: JsonValue) -> dict[str, ModelRoute]:
    """Read the whole map.

    Raises:
        ContextError: at the first thing that is wrong.
    """
    return {model: _route(route) for model, route in value.members().items()}


def targets_of(value: JsonValue) -> list[tuple[str, Target]]:
    """Each target of a map that was read, and the path where it is."""
    routes = value.members().values()
    return [(item.path, _target(item)) for route in routes for item in _fields(route)["targets"].items()]


def _route(value: JsonValue) -> ModelRoute:
    given = _fields(value)
    items = given["targets"].items()
    if not items:
        raise ContextError(f'{given["targets"].path} must not be empty, got []; give at least one "upstream/model"')
    targets = [_target(item) for item in items]
    with blamed_on(value.path):
        return ModelRoute(
            targets,
            delivery=given["delivery"].choice(_DELIVERIES) if "delivery" in given else Delivery.STREAMED,
            first_content=given["first_content"].positive() if "first_content" in given else None,
        )


def _fields(value: JsonValue) -> dict[str, JsonValue]:
    if isinstance(value.value, Mapping):
        return value.fields("targets", "delivery", "first_content", required=("targets",))
    return {"targets": value}


def _target(value: JsonValue) -> Target:
    with blamed_on(value.path):
        if not isinstance(value.value, Mapping):
            return Target(value.text())
        given = value.fields("name", "weight", "larger_context", required=("name",))
        return Target(
            given["name"].text(),
            weight=given["weight"].percentage() if "weight" in given else None,
            larger_context="larger_context" in given and given["larger_context"].flag(),
        )
