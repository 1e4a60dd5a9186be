"""Why no token could be had."""

from __future__ import annotations

from lambda_runtime.secret_value import SecretProblem


class TransientProblem(SecretProblem):
    """Something that passes by itself: a service that does not answer, or not now. Nobody has refused anything.

    Args:
        message: for the operator's log.
        again: whether another attempt at once may help. After a time-out a client would wait as long again, and whoever asks
            for fewer requests must not get one more.
    """

    passes = True

    def __init__(self, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.again = again
