"""The routes of the API, derived from the operations that the runtime knows."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_runtime.config import Operation, WireFormat


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A method and a path of the API. `wire_format` is None where clients of both formats ask."""

    method: str
    path: str
    wire_format: WireFormat | None


ROUTES = (
    *(Route(method="POST", path=operation.route, wire_format=operation.wire_format) for operation in Operation),
    Route(method="GET", path="/v1/models", wire_format=None),
    Route(method="GET", path="/v1/models/{id+}", wire_format=None),
)
"""Every route. A model's id may hold slashes, hence the greedy parameter."""
