"""Which resource of the API is which operation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.errors import MethodNotAllowedError, UnknownRouteError
from lambda_runtime.headers import client_header


class Listing(Enum):
    """What is asked about models."""

    ALL = "/v1/models"
    ONE = "/v1/models/{id+}"


_LISTINGS = {listing.value: listing for listing in Listing}


class Route(NamedTuple):
    """What a request asks for.

    Args:
        wire_format: the format of the answer, errors included. None: one that both SDK families parse.
        target: the operation to relay, or the question about models.
    """

    wire_format: WireFormat | None
    target: Operation | Listing

    @property
    def name(self) -> str:
        """For the log."""
        return self.target.name.lower() if isinstance(self.target, Operation) else "models"


_ROUTES = {operation.route: Route(wire_format=operation.wire_format, target=operation) for operation in Operation}


def wire_format_of(event: Mapping[str, Any]) -> WireFormat | None:
    """The format in which an event's answer is expected, known even where the route is not served."""
    resource = event.get("resource") or ""
    route = _ROUTES.get(resource)
    if route is not None:
        return route.wire_format
    if resource in _LISTINGS:
        # A path that both families have. The Anthropic SDKs always name their version.
        return WireFormat.ANTHROPIC if client_header(event, "anthropic-version") else WireFormat.OPENAI
    return None


def route_of(event: Mapping[str, Any]) -> Route:
    """The route of an event.

    Raises:
        UnknownRouteError: if API Gateway was given a resource that the gateway does not have.
        MethodNotAllowedError: if the resource does not take the method.
    """
    resource = event.get("resource") or ""
    method = event.get("httpMethod") or ""
    route = _ROUTES.get(resource)
    if route is not None:
        if method == "POST":
            return route
        raise MethodNotAllowedError(f"{resource} takes POST, got {method[:20]}")
    listing = _LISTINGS.get(resource)
    if listing is not None:
        if method == "GET":
            return Route(wire_format=wire_format_of(event), target=listing)
        raise MethodNotAllowedError(f"{resource} takes GET, got {method[:20]}")
    path = str(event.get("path") or resource)[:200]
    known = ", ".join(f"POST {known}" for known in _ROUTES)
    raise UnknownRouteError(
        f"{method[:20]} {path} is not served; the gateway serves {known}, GET /v1/models, GET /v1/models/{{id}}"
    )
