"""How a hook refuses a request."""

from __future__ import annotations

from lambda_runtime.hooks.fields import HookUsageError

_REFUSABLE = range(400, 500)


class Refusal(Exception):  # noqa: N818  it is what a hook wants, not what went wrong
    """Raised by `before_request`: the client is told so in its own format, and told not to repeat it.

    Args:
        message: for the client; say what to do instead.
        status: HTTP status, 400 to 499. Default: 403.
        code: machine-readable reason, also in the log line's `error`. Default: "refused_by_policy".
        param: the request's field that is refused, for example "model". Default: none.

    Raises:
        HookUsageError: if the status is not one of a client's errors, or a text is no text.
    """

    # Those of a subclass that does not call this class's constructor.
    message: str = "the request was refused"
    status: int = 403
    code: str = "refused_by_policy"
    param: str | None = None

    def __init__(self, message: str, *, status: int = 403, code: str = "refused_by_policy", param: str | None = None) -> None:
        super().__init__(message)
        if not isinstance(message, str) or not message or not isinstance(code, str) or not isinstance(param, str | None):
            raise HookUsageError("a refusal's message, code and param must be texts, and the message not empty")
        if not isinstance(status, int) or status not in _REFUSABLE:
            raise HookUsageError("a refusal's status must be from 400 to 499")
        self.message = message
        self.status = int(status)  # which may be an `http.HTTPStatus`
        self.code = code
        self.param = param
