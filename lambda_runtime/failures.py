"""What an attempt's failure means: for the client, for the next attempt, and for the circuit breaker."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from lambda_runtime.answer import Answer
from lambda_runtime.errors import GatewayError, UpstreamTimeoutError
from lambda_runtime.state.outcome import Outcome

ATTEMPTS = 3
"""Attempts for one request. The SDKs repeat an error twice by themselves, and are told not to."""

SHORT_WAIT = 2.0
"""Seconds of `Retry-After` for which it is worth waiting for the same upstream."""

_DAY = 86_400.0
_NOT_PAID = 402
"""The gateway's account has no credit. That is no fault of the request, and passes as little by itself as a 429."""

_REQUEST_TIMEOUT = 408
_TOO_MANY = 429
_ERROR = 400
_SERVER_ERROR = 500
_REPEATABLE = frozenset({500, 502, 503, 504, 529})

_TOO_LONG = (b"context_length_exceeded", b"prompt is too long", b"maximum context length", b"exceeds the context window")

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "invalid_prompt": 400,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Onward(Enum):
    """Who may be asked after a failure."""

    ANYONE = auto()
    LARGER = auto()
    """A target that is marked as taking more input."""


class FailedAttempt(Exception):  # noqa: N818  it is one attempt's failure, and not yet the client's error
    """An attempt that the client need not hear of, if another one succeeds.

    Args:
        error: what the client is told if none does and there is no answer of the upstream's own.
        outcome: for the circuit breaker.
        onward: who may be asked next. Default: anyone.
        repeatable: whether the same upstream may be asked once more. Default: no.
        retry_after: seconds that the upstream asks to wait. Default: it does not say.
        billed: whether the upstream may charge for it. Default: no.
        answer: the upstream's own answer, for the client if there is none better. Default: there is none.
    """

    def __init__(
        self,
        error: GatewayError,
        outcome: Outcome,
        *,
        onward: Onward = Onward.ANYONE,
        repeatable: bool = False,
        retry_after: float | None = None,
        billed: bool = False,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.outcome = outcome
        self.onward = onward
        self.repeatable = repeatable
        self.retry_after = retry_after
        self.billed = billed
        self.answer = answer

    @property
    def of_upstream(self) -> bool:
        """Whether its other models are not worth asking either: it is silent, or takes no request with our key."""
        return self.outcome is Outcome.KEY_REFUSED or isinstance(self.error, UpstreamTimeoutError)


class Failures:
    """What has failed for a request so far."""

    __slots__ = ("_billed", "_spare", "last", "tried")

    def __init__(self) -> None:
        self.last: FailedAttempt | None = None
        self.tried = 0
        self._billed = False
        self._spare: FailedAttempt | None = None

    def add(self, failure: FailedAttempt) -> bool:
        """Note a failure. Says whether it must be the last."""
        self.close()
        self.last = failure
        self.tried += 1
        if failure.answer is not None and failure.answer.status < _ERROR:
            self._spare = failure
        over = self._billed or self.tried >= ATTEMPTS
        self._billed = self._billed or failure.billed
        return over

    def best(self) -> FailedAttempt:
        """What the client is told: the last upstream's words. An empty answer, which may be meant so, goes before an error."""
        if self._spare is not None and self._spare is not self.last:
            self.close()
            return self._spare
        assert self.last is not None  # noqa: S101
        return self.last

    def close(self) -> None:
        """Give up what was not read of the last one's answer."""
        if self.last is not None and self.last.answer is not None:
            self.last.answer.close()


def judged(answer: Answer, error: GatewayError, retry_after: float | None) -> FailedAttempt | None:
    """What an answer with an error status means; None if it is the client's to have, whoever else might be asked.

    Args:
        answer: the answer, with its body.
        error: what it is called in the log.
        retry_after: what it says about waiting.
    """
    status = answer.status
    if status in {_TOO_MANY, _NOT_PAID}:
        short = retry_after is not None and retry_after <= SHORT_WAIT
        return FailedAttempt(error, Outcome.RATE_LIMITED, repeatable=short, retry_after=retry_after, answer=answer)
    if status >= _SERVER_ERROR or status == _REQUEST_TIMEOUT:
        repeatable = status in _REPEATABLE
        return FailedAttempt(error, Outcome.FAILURE, repeatable=repeatable, retry_after=retry_after, answer=answer)
    if any(words in answer.head for words in _TOO_LONG):
        return FailedAttempt(error, Outcome.IGNORED, onward=Onward.LARGER, answer=answer)
    return None


def status_of_error(error: Any) -> int:
    """The status that an error event would have had as an answer of its own; 502 if that is not known.

    Args:
        error: the event's `error`, an object or a text.
    """
    if isinstance(error, dict):
        for name in ("code", "status", "type"):
            value = error.get(name)
            if isinstance(value, str):
                value = _STATUS_OF_TYPE.get(value, int(value) if value.isdecimal() and len(value) == 3 else None)  # noqa: PLR2004
            if isinstance(value, int) and 400 <= value < 600:  # noqa: PLR2004
                return value
    return 502


def retry_after_of(header: Callable[[str], str]) -> float | None:
    """Seconds that an answer asks to wait, None if it does not or cannot be understood.

    Args:
        header: gives a header of the answer by its lower-case name; empty if absent.
    """
    milliseconds, value = header("retry-after-ms"), header("retry-after")
    try:
        if milliseconds:
            return min(max(0.0, float(milliseconds) / 1000), _DAY)
        if not value:
            return None
        if value.strip().replace(".", "", 1).isdecimal():
            return min(float(value), _DAY)
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  for a spelling that hardly anyone uses

        return min(max(0.0, parsedate_to_datetime(value).timestamp() - time.time()), _DAY)
    except (ValueError, OverflowError):
        return None
