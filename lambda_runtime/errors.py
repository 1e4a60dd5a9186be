"""What can go wrong, and how it is said in the client's own format.

    GatewayError                    500
    ├── RequestError                400  the client's request; names the field
    │   ├── BodyTooLargeError       413
    │   ├── UnknownRouteError       404
    │   ├── MethodNotAllowedError   405
    │   ├── ModelNotFoundError      404
    │   ├── ModelNotAllowedError    403  the consumer may not use the model
    │   ├── ModelNotPricedError     403  the consumer has a budget in money, and nobody knows what the model costs
    │   ├── BudgetExceededError     429  a budget of the consumer is used up
    │   └── RefusedError            4xx  a hook of the operator's refused it; the hook says with which status
    ├── UpstreamError               502  the upstream failed, or was not understood
    │   ├── UpstreamTimeoutError    504
    │   ├── StreamInterruptedError  502  the answer broke after it had begun
    │   ├── UpstreamsStoppedError   503  an operator has stopped all upstreams of the model
    │   └── CredentialError         502  the gateway's own key; the message names no secret
    ├── HookError                   500  a hook failed; which one is in the log only
    ├── LimitsError                 500  the consumer's limits cannot be read
    └── DeadlineError               504  the function's own time is up

Messages of a `GatewayError` are for the client: they hold no key, no ARN and no text of an upstream's. What the operator must
know goes into the log.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.headers import Headers


class GatewayError(Exception):
    """Something that the client is told.

    Args:
        message: for the client.
        code: machine-readable cause. Default: the class's.
        param: name of the request's field that is wrong. Default: none.
    """

    status: int = 500
    openai_type: str = "api_error"
    anthropic_type: str = "api_error"
    default_code: ClassVar[str | None] = "internal_error"
    retry_helps: ClassVar[bool] = True
    """The SDKs repeat 408, 409, 429 and 5xx twice; False tells them not to (`x-should-retry: false`)."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.param = param

    @property
    def headers(self) -> Headers:
        """What the answer's head says of it."""
        return [] if self.retry_helps else [("x-should-retry", "false")]


class RequestError(GatewayError):
    """The request cannot be served as it is."""

    status = 400
    openai_type = anthropic_type = "invalid_request_error"
    default_code = "invalid_request"
    retry_helps = False


class BodyTooLargeError(RequestError):
    """The body is larger than Lambda takes."""

    status = 413
    anthropic_type = "request_too_large"
    default_code = "request_too_large"


class UnknownRouteError(RequestError):
    """The path is none of the gateway's."""

    status = 404
    openai_type = anthropic_type = "not_found_error"
    default_code = "unknown_route"


class MethodNotAllowedError(RequestError):
    """The path is known, the method is not."""

    status = 405
    default_code = "method_not_allowed"


class ModelNotFoundError(RequestError):
    """Nothing serves the model."""

    status = 404
    anthropic_type = "not_found_error"
    default_code = "model_not_found"


class ModelNotAllowedError(RequestError):
    """The consumer may not use the model."""

    status = 403
    openai_type = anthropic_type = "permission_error"
    default_code = "model_not_allowed"


class ModelNotPricedError(ModelNotAllowedError):
    """The consumer may use what money pays for, and nobody knows what the model costs."""

    default_code = "model_not_priced"


class BudgetExceededError(RequestError):
    """A budget of the consumer is used up.

    Args:
        message: for the client.
        retry_after: seconds until it begins anew.
    """

    status = 429
    # What OpenAI says of a quota that is used up, and Anthropic of any limit.
    openai_type = "insufficient_quota"
    anthropic_type = "rate_limit_error"
    default_code = "budget_exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def headers(self) -> Headers:
        """What the answer's head says of it."""
        return [("retry-after", str(self.retry_after)), *super().headers]


_TYPES_OF_REFUSALS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


class RefusedError(RequestError):
    """A hook refused the request.

    Args:
        message: for the client.
        status: HTTP status, 400 to 499.
        code: machine-readable cause. Default: the class's.
        param: name of the request's field that is refused. Default: none.
    """

    default_code = "refused_by_policy"

    def __init__(self, message: str, status: int, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)
        self.status = status
        self.openai_type = self.anthropic_type = _TYPES_OF_REFUSALS.get(status, RequestError.openai_type)


class UpstreamError(GatewayError):
    """The upstream could not be reached, or gave an answer that cannot be passed on."""

    status = 502
    default_code = "upstream_error"


class UpstreamTimeoutError(UpstreamError):
    """The upstream was silent for too long."""

    status = 504
    openai_type = anthropic_type = "timeout_error"
    default_code = "upstream_timeout"


class StreamInterruptedError(UpstreamError):
    """The upstream's answer ended before it was complete."""

    default_code = "upstream_stream_interrupted"


class UpstreamsStoppedError(UpstreamError):
    """An operator has taken all upstreams out that serve the model."""

    status = 503
    default_code = "upstreams_stopped"
    retry_helps = False


class CredentialError(UpstreamError):
    """The gateway has no key that the upstream takes. A retry meets the same key."""

    default_code = "upstream_credentials"
    retry_helps = False


class HookError(GatewayError):
    """A hook failed. The client is told as much as of any other defect, and not to try again: the hook would fail again."""

    retry_helps = False

    def __init__(self) -> None:
        super().__init__("the gateway failed on this request")


class LimitsError(GatewayError):
    """What the table says of the consumer's limits cannot be read. A retry reads the same."""

    default_code = "limits_unreadable"
    retry_helps = False

    def __init__(self) -> None:
        super().__init__("the limits of this key cannot be read; its operator has to set them again")


class DeadlineError(GatewayError):
    """The function must end before Lambda kills it. A retry would take as long again."""

    status = 504
    openai_type = anthropic_type = "timeout_error"
    default_code = "gateway_deadline_exceeded"
    retry_helps = False


_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def of_status(status: int, message: str, code: str) -> GatewayError:
    """An upstream's error as one of ours, for a stream that has begun: what its status says must be said by its type."""
    error: GatewayError = UpstreamError(message, code=code)
    kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")  # noqa: PLR2004
    error.openai_type = error.anthropic_type = kind
    return error


def _openai(error: GatewayError) -> dict[str, Any]:
    return {"message": error.message, "type": error.openai_type, "param": error.param, "code": error.code}


def _anthropic(error: GatewayError) -> dict[str, Any]:
    return {"type": error.anthropic_type, "message": error.message}


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def error_body(error: GatewayError, wire_format: WireFormat | None, request_id: str) -> bytes:
    """The error as a JSON body.

    Args:
        error: what happened.
        wire_format: the route's; None where the route has none, which gives a body that both SDK families parse.
        request_id: id to quote to the operator.
    """
    if wire_format is WireFormat.OPENAI:
        return _json({"error": _openai(error)})
    if wire_format is WireFormat.ANTHROPIC:
        return _json({"type": "error", "error": _anthropic(error), "request_id": request_id})
    both = {"type": error.anthropic_type, "message": error.message, "param": error.param, "code": error.code}
    return _json({"type": "error", "error": both, "request_id": request_id})


def error_event(error: GatewayError, operation: Operation, request_id: str) -> bytes:
    """The error as a server-sent event, for a stream that has begun. It is the stream's last: no terminator follows.

    Args:
        error: what happened.
        operation: which stream it is.
        request_id: id to quote to the operator.
    """
    if operation.wire_format is WireFormat.ANTHROPIC:
        return b"event: error\ndata: " + error_body(error, WireFormat.ANTHROPIC, request_id) + b"\n\n"
    if operation is Operation.RESPONSES:
        # Both spellings at once: clients that know the format's `error` event read the flat fields, the SDKs raise on `error`.
        flat = {"type": "error", "code": error.code, "message": error.message, "param": error.param, "error": _openai(error)}
        return b"event: error\ndata: " + _json(flat) + b"\n\n"
    return b"data: " + error_body(error, WireFormat.OPENAI, request_id) + b"\n\n"
