"""Finds resources in templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Template

Json = dict[str, Any]


def of_type(template: Json, kind: str) -> dict[str, Json]:
    """Properties of all resources of a type, by logical id. `kind` needs no `AWS::`."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] in {kind, f"AWS::{kind}"}
    }


def only(template: Json, kind: str, **having: object) -> Json:
    """Properties of the one resource of a type that has these properties."""
    found = [p for p in of_type(template, kind).values() if all(p.get(name) == value for name, value in having.items())]
    assert len(found) == 1, (kind, having, len(found))
    return found[0]


def gateway_function(template: Json) -> Json:
    """Properties of the function that relays."""
    return only(template, "Lambda::Function", Handler="lambda_runtime.handler.handler")


def methods(template: Json) -> Iterator[tuple[str, str, Json]]:
    """HTTP method, path and properties of every method."""
    resources = of_type(template, "ApiGateway::Resource")

    def path(reference: Json) -> str:
        if "Ref" not in reference:
            return ""
        resource = resources[reference["Ref"]]
        return f"{path(resource['ParentId'])}/{resource['PathPart']}"

    for method in of_type(template, "ApiGateway::Method").values():
        yield method["HttpMethod"], path(method["ResourceId"]), method


def routes(template: Json) -> Iterator[tuple[str, str, Json]]:
    """HTTP method, path and properties of the methods that call the function."""
    return (method for method in methods(template) if method[2]["Integration"]["Type"] != "MOCK")


def unknown_routes(template: Json) -> Iterator[tuple[str, str, Json]]:
    """HTTP method, path and properties of the methods that stand for whatever is no route."""
    return (method for method in methods(template) if method[0] == "ANY")


def synthesized(stack: Stack) -> Json:
    """The stack's template."""
    template: Json = Template.from_stack(stack).to_json()
    return template
