"""A request as hooks see it."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, cast

from lambda_runtime.config import Operation
from lambda_runtime.hooks.fields import HookUsageError, LogFields, Scalar, UpstreamHeaders
from lambda_runtime.hooks.refusal import Refusal

_SECRET = frozenset({"api-key", "authorization", "cookie", "proxy-authorization", "x-api-key"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class HookRequest:
    """A request. A hook may change `model`, `upstream_headers` and `log`, in `before_request` only.

    The gateway makes it of an event; `HookRequest.of` is for tests of hooks. What a hook does not look at is not read.

    Args:
        event: API Gateway's event.
        operation: what is asked for.
        model: name of the model that is asked for.
        text: the body.
    """

    __slots__ = (
        "_body",
        "_event",
        "_frozen",
        "_headers",
        "_log",
        "_model",
        "_operation",
        "_text",
        "_upstream_headers",
    )

    def __init__(self, event: Mapping[str, Any], operation: Operation, model: str, text: str) -> None:
        self._event = event
        self._operation = operation
        self._model = model
        self._text = text
        self._frozen = False
        self._body: Mapping[str, Any] | None = None
        self._headers: Mapping[str, str] | None = None
        self._log: LogFields | None = None
        self._upstream_headers: UpstreamHeaders | None = None

    @classmethod
    def of(
        cls,
        model: str,
        *,
        operation: Operation = Operation.CHAT_COMPLETIONS,
        consumer: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        request_id: str = "request",
    ) -> HookRequest:
        """A request to test a hook with.

        Args:
            model: name of the model that is asked for.
            operation: what is asked for. Default: `Operation.CHAT_COMPLETIONS`.
            consumer: id of the consumer's API key. Default: none.
            headers: the client's headers. Default: none.
            body: the body, without its model. Default: empty.
            request_id: the request's id. Default: "request".
        """
        context = {"requestId": request_id, "identity": {"apiKeyId": consumer}}
        document = json.dumps({"model": model, **(body or {})})
        return cls({"requestContext": context, "headers": headers}, operation, model, document)

    @property
    def consumer(self) -> str | None:
        """Id of the consumer's API key, as in the log line; `Consumer.key_id` of the construct. None without a key."""
        identity = (self._event.get("requestContext") or {}).get("identity") or {}
        key_id: str | None = identity.get("apiKeyId")
        return key_id

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return self._operation

    @property
    def request_id(self) -> str:
        """The request's id, as the client and the log have it."""
        return str((self._event.get("requestContext") or {}).get("requestId") or "")

    @property
    def model(self) -> str:
        """Name of the model. Set another one to have the request served as if the client had asked for that.

        Raises:
            HookUsageError: when it is set to what is no name, or after `before_request`.
        """
        return self._model

    @model.setter
    def model(self, name: str) -> None:
        if self._frozen:
            raise HookUsageError("request.model can be set in before_request only")
        if not isinstance(name, str) or not name:
            raise HookUsageError("request.model must be a text with at least one character")
        self._model = name

    @property
    def headers(self) -> Mapping[str, str]:
        """The client's headers by lower-case name, several of one name joined by ", "; without keys and cookies."""
        if self._headers is None:
            self._headers = MappingProxyType(_visible(self._event))
        return self._headers

    @property
    def body(self) -> Mapping[str, Any]:
        """The body as the client sent it, parsed at first use. What is changed inside of it changes nothing of the request."""
        if self._body is None:
            try:
                self._body = MappingProxyType(json.loads(self._text))
            except RecursionError:
                # It was readable where the stack was less deep. The fault is the client's, and no defect of the hook.
                raise Refusal("the body is nested too deeply", status=400, code="invalid_json") from None
        return self._body

    @property
    def upstream_headers(self) -> MutableMapping[str, str]:
        """Headers to send to whichever upstream is asked; one of a name that the client sent replaces the client's.

        Raises:
            HookUsageError: when a header is set that HTTP cannot carry or that is the gateway's own business.
        """
        if self._frozen:
            return _read_only(self._upstream_headers)
        if self._upstream_headers is None:
            self._upstream_headers = UpstreamHeaders()
        return self._upstream_headers

    @property
    def log(self) -> MutableMapping[str, Scalar]:
        """Fields for the request's line in the log, where they stand in `hooks`. Texts are cut at 200 characters.

        Raises:
            HookUsageError: when a field is set whose name or value is not allowed, or one more than 20.
        """
        if self._frozen:
            return _read_only(self._log)
        if self._log is None:
            self._log = LogFields()
        return self._log

    def freeze(self) -> None:
        """What a hook may change has been changed: from now on it can only be read."""
        self._frozen = True


def _read_only(mapping: Mapping[str, Any] | None) -> MutableMapping[str, Any]:
    # To set an item of it is a TypeError, which points at the hook's line.
    return cast("MutableMapping[str, Any]", _NOTHING if mapping is None else MappingProxyType(mapping))


def _visible(event: Mapping[str, Any]) -> dict[str, str]:
    several = event.get("multiValueHeaders") or {name: (value,) for name, value in (event.get("headers") or {}).items()}
    joined: dict[str, str] = {}
    for key, values in several.items():
        name = key.lower()
        if name not in _SECRET:
            value = ", ".join(map(str, filter(None, values or ())))
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
