"""Questions about CloudFormation templates: what refers to what, and what is left when resources are taken out."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_SUBSTITUTION = re.compile(r"\$\{([^!}.][^}.]*)")


def references(value: Any) -> Iterator[str]:
    """The logical ids (and pseudo parameters) that a part of a template refers to, in order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.partition(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub":
                yield from _SUBSTITUTION.findall(inner if isinstance(inner, str) else inner[0])
                if not isinstance(inner, str):
                    yield from references(inner[1])
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def logical_id(value: Any, resources: Mapping[str, Mapping[str, Any]], *types: str) -> str | None:
    """The first resource of one of the types that a part of a template refers to, or None."""
    for name in references(value):
        if resources.get(name, {}).get("Type") in types:
            return name
    return None


def of_types(template: Mapping[str, Any], types: Collection[str]) -> set[str]:
    """The logical ids of a template's resources of some types."""
    return {name for name, resource in template.get("Resources", {}).items() if resource.get("Type") in types}


def without(template: Mapping[str, Any], names: Collection[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """A template without some resources, nor what refers to them.

    Returns:
        The smaller template, and the logical ids taken out with their types.
    """
    smaller = copy.deepcopy(dict(template))
    resources: dict[str, dict[str, Any]] = smaller.get("Resources", {})
    gone: dict[str, str] = {}
    doomed = set(names)
    while doomed:
        for name in doomed:
            gone[name] = resources.pop(name)["Type"]
        doomed = {
            name
            for name, resource in resources.items()
            # What depends on a missing resource only in time can do without it, what names it cannot.
            if not gone.keys().isdisjoint(references({k: v for k, v in resource.items() if k != "DependsOn"}))
        }
    for resource in resources.values():
        depends = resource.pop("DependsOn", [])
        kept = [name for name in ([depends] if isinstance(depends, str) else depends) if name not in gone]
        if kept:
            resource["DependsOn"] = kept
    outputs = smaller.get("Outputs", {})
    for name in [name for name, output in outputs.items() if not gone.keys().isdisjoint(references(output))]:
        del outputs[name]
    return smaller, gone
