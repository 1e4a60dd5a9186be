"""Runs a REQUEST authorizer and reads its verdict, as API Gateway does."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.gateway_responses import Refusal
from gateway_cli.local.rest_api_model import AuthorizerModel

_SOURCE = re.compile(r"method\.request\.(header|querystring)\.(.+)")


class RefusedError(Exception):
    """The request is not let through.

    Args:
        refusal: what the client is told.
        reason: what the terminal is told, or empty.
    """

    def __init__(self, refusal: Refusal, reason: str = "") -> None:
        super().__init__(reason or refusal.kind)
        self.refusal = refusal
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """An authorizer's answer.

    Args:
        usage_key: the API key that it names, or None.
        context: what the function is told about the caller.
        policy: its policy document.
    """

    usage_key: str | None
    context: Mapping[str, Any]
    policy: Mapping[str, Any] = field(default_factory=dict)


class Authorizer:
    """A REQUEST authorizer, run in this process.

    On AWS it is a function of its own. Ours computes its answer from the event alone, with the standard library and without
    input or output, so a process of its own would add time to each request and show nothing more.

    Args:
        model: the authorizer.
        clock: seconds, monotonic; for the cache.
    """

    def __init__(self, model: AuthorizerModel, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._cache: dict[tuple[str, ...], tuple[float, Verdict]] = {}
        self._handler = _load(model)

    def decide(self, event: Mapping[str, Any], method_arn: str) -> Verdict:
        """Ask the authorizer, or its cache.

        Args:
            event: the proxy event without a body.
            method_arn: ARN of the method that is asked for.

        Raises:
            RefusedError: if it does not let the request through, or fails.
        """
        identity = self._identity(event)
        now = self._clock()
        kept = self._cache.get(identity) if self._model.ttl and identity else None
        if kept and kept[0] > now:
            verdict = kept[1]
        else:
            verdict = self._ask({"type": "REQUEST", "methodArn": method_arn, **event})
            if self._model.ttl and identity:
                self._cache[identity] = (now + self._model.ttl, verdict)
        if not _allows(verdict.policy, method_arn):
            raise RefusedError(Refusal(kind="ACCESS_DENIED"))
        return verdict

    def _identity(self, event: Mapping[str, Any]) -> tuple[str, ...]:
        """The values of the identity sources; without one of them the authorizer is not even asked."""
        values = []
        for source in self._model.identity_sources:
            match = _SOURCE.fullmatch(source)
            if not match:
                continue
            kind, name = match.groups()
            known: Mapping[str, str] = event["headers" if kind == "header" else "queryStringParameters"] or {}
            value = next(
                (value for key, value in known.items() if key == name or (kind == "header" and key.lower() == name.lower())), ""
            )
            if not value:
                raise RefusedError(Refusal(kind="UNAUTHORIZED"))
            values.append(value)
        return tuple(values)

    def _ask(self, event: Mapping[str, Any]) -> Verdict:
        try:
            answer = self._handler(dict(event), None)
        except Exception as error:
            if str(error) == "Unauthorized":
                raise RefusedError(Refusal(kind="UNAUTHORIZED")) from error
            raise RefusedError(Refusal(kind="AUTHORIZER_FAILURE"), f"the authorizer failed: {error!r}") from error
        if not isinstance(answer, dict) or "policyDocument" not in answer or "principalId" not in answer:
            raise RefusedError(
                Refusal(kind="AUTHORIZER_CONFIGURATION_ERROR"),
                "the authorizer's answer must have 'principalId' and 'policyDocument'",
            )
        context = {
            name: value if isinstance(value, str) else _text(value) for name, value in (answer.get("context") or {}).items()
        }
        return Verdict(
            answer.get("usageIdentifierKey"), {**context, "principalId": answer["principalId"]}, answer["policyDocument"]
        )


def _text(value: Any) -> str:
    """Context values reach the function as strings, booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _load(model: AuthorizerModel) -> Callable[[dict[str, Any], None], Any]:
    module_name, _, function = model.handler.rpartition(".")
    path = model.directory / f"{module_name.replace('.', '/')}.py"
    # A name of its own for each directory: two gateways may bring two versions of one module.
    spec = importlib.util.spec_from_file_location(f"_authorizer_{abs(hash(path)):x}", path)
    if spec is None or spec.loader is None:  # pragma: no cover - a path with the suffix .py always has a loader
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the assembly belongs to the CDK
    try:
        spec.loader.exec_module(module)
        handler: Callable[[dict[str, Any], None], Any] = getattr(module, function)
    except Exception as error:
        raise LocalGatewayError(
            f"the authorizer {model.handler} in {str(model.directory)!r} cannot be loaded: {error!r}"
        ) from error
    finally:
        sys.dont_write_bytecode = before
    return handler


def _allows(policy: Mapping[str, Any], arn: str) -> bool:
    """Whether a policy allows a method: one statement must allow it and none deny it."""
    allowed = False
    for statement in policy.get("Statement", []):
        resources = statement.get("Resource", [])
        patterns = [resources] if isinstance(resources, str) else resources
        if any(fnmatchcase(arn, pattern.replace("[", "[[]")) for pattern in patterns):
            if statement.get("Effect") == "Deny":
                return False
            allowed = allowed or statement.get("Effect") == "Allow"
    return allowed
