"""What a client sees, in a few words: expected of a fault, or read off an answer."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tests.faults.wire import Wire


class What(StrEnum):
    """How a request ends for the client."""

    ANSWER = "answer"
    """Complete, in its format."""

    ERROR = "error"
    """A status that says so, and a body in its format."""

    BROKEN = "broken"
    """A stream that begins, and ends with an error event and without its terminator."""


class By(StrEnum):
    """Whose words the client reads."""

    FIRST = "first"
    SECOND = "second"
    GATEWAY = "gateway"


class Outcome(NamedTuple):
    """What a client sees.

    Args:
        what: how it ends.
        by: whose words it reads: the answer's, or the error's.
        status: HTTP status.
        code: the error's: `code` of OpenAI's format, `type` of Anthropic's.
        retry_after: the header's value; empty without it.
        begun: of a broken stream, whether some of the answer came before.
        heartbeats: whether heartbeats came.
        form: what is unusual about the answer; empty for nothing.
    """

    what: What
    by: By
    status: int = 200
    code: str = ""
    retry_after: str = ""
    begun: bool = False
    heartbeats: bool = False
    form: str = ""

    def __str__(self) -> str:
        if self.what is What.ANSWER:
            words = f"the {self.by}'s answer{self.form and ', ' + self.form}"
        elif self.what is What.ERROR:
            words = f"{self.status} `{self.code}`"
        else:
            words = ("a beginning, then the error event" if self.begun else "the error event") + f" `{self.code}`"
        if self.what is not What.ANSWER and self.by is not By.GATEWAY:
            words += ", in the upstream's words"
        if self.retry_after:
            words += f", Retry-After {self.retry_after}"
        return f"heartbeats, then {words}" if self.heartbeats else words


class Expected(NamedTuple):
    """An outcome that is written down for both formats.

    Args:
        outcome: with the code of OpenAI's format.
        type: the error's type in Anthropic's.
    """

    outcome: Outcome
    type: str = ""

    def of(self, wire: Wire) -> Outcome:
        """The outcome in one of them."""
        return self.outcome._replace(code=self.type) if self.type and wire.name == "messages" else self.outcome

    def behind_heartbeats(self) -> Expected:
        """The same when heartbeats have already begun a stream: an error can only be an event then."""
        outcome = self.outcome._replace(heartbeats=True, status=200, retry_after="")
        if outcome.what is What.ERROR:
            outcome = outcome._replace(what=What.BROKEN)
        return self._replace(outcome=outcome)


FIRST = Expected(Outcome(What.ANSWER, By.FIRST))
SECOND = Expected(Outcome(What.ANSWER, By.SECOND))


def own_error(status: int, code: str, kind: str = "api_error") -> Expected:
    """An error of the gateway's."""
    return Expected(Outcome(What.ERROR, By.GATEWAY, status, code), kind)


def relayed_error(status: int, code: str, kind: str, retry_after: str = "") -> Expected:
    """An error of the upstream's."""
    return Expected(Outcome(What.ERROR, By.FIRST, status, code, retry_after), kind)


def broken(code: str = "upstream_stream_interrupted", kind: str = "api_error", by: By = By.GATEWAY) -> Expected:
    """A stream that ends with an error event after some of the answer."""
    return Expected(Outcome(What.BROKEN, by, code=code, begun=True), kind)
