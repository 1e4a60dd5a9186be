"""JSON schemas, as far as the two providers' structured outputs differ.

Anthropic takes schemas whose objects are closed, and refuses keywords that a grammar cannot hold. OpenAI's strict schemas have
closed objects, too, and every property of them is required.
"""

from __future__ import annotations

import json
from typing import Any

_NOT_HELD = frozenset(
    {
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "patternProperties",
        "uniqueItems",
    }
)
_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"})
_OF_SCHEMAS = ("anyOf", "allOf", "oneOf", "prefixItems")
_OF_NAMED = ("properties", "$defs", "definitions")


def schema_for_messages(schema: Any) -> tuple[Any, bool]:
    """A schema as Anthropic's structured outputs take it.

    What a grammar cannot hold goes into the description, where the model reads it, as Anthropic's own SDK does it.

    Args:
        schema: the schema, which stays as it is.

    Returns:
        The schema, and whether it says less than before.
    """
    if not isinstance(schema, dict):
        return schema, False
    changed = False
    result: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in schema.items():
        if name in _NOT_HELD or _too_many_items(name, value) or (name == "format" and str(value) not in _FORMATS):
            left_out.append(f"{name}: {json.dumps(value)}")
        elif name in _OF_NAMED and isinstance(value, dict):
            inner = {key: schema_for_messages(part) for key, part in value.items()}
            result[name] = {key: part for key, (part, _) in inner.items()}
            changed |= any(less for _, less in inner.values())
        elif name in _OF_SCHEMAS and isinstance(value, list):
            parts = [schema_for_messages(part) for part in value]
            result["anyOf" if name == "oneOf" else name] = [part for part, _ in parts]
            changed |= any(less for _, less in parts)
        elif name == "items":
            result[name], less = schema_for_messages(value)
            changed |= less
        else:
            result[name] = value
    if left_out:
        constraints = "{" + ", ".join(left_out) + "}"
        description = result.get("description")
        result["description"] = f"{description}\n\n{constraints}" if description else constraints
    if _is_object(result) and result.get("additionalProperties") is not False:
        result["additionalProperties"] = False
        changed |= schema.get("additionalProperties") not in (None, False)
    return result, changed or bool(left_out)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI takes a schema with `strict`: each object is closed and requires all of its properties."""
    if not isinstance(schema, dict):
        return True
    if _is_object(schema):
        if schema.get("additionalProperties") is not False:
            return False
        properties, required = schema.get("properties"), schema.get("required")
        if isinstance(properties, dict) and set(properties) - set(_names(required)):
            return False
    parts = [schema.get("items")]
    for name in _OF_SCHEMAS:
        value = schema.get(name)
        parts += value if isinstance(value, list) else []
    for name in _OF_NAMED:
        value = schema.get(name)
        parts += value.values() if isinstance(value, dict) else []
    return all(is_strict(part) for part in parts)


def _too_many_items(name: str, value: Any) -> bool:
    return name == "minItems" and value not in (0, 1)


def _is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object" or "properties" in schema


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
