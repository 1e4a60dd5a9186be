"""What a smoke test consists of: steps, each with how it went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a step went."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that was tried.

    Args:
        name: what, as in `stream`.
        subject: of what, as in `gpt-4 (chat completions)`. Default: nothing in particular.
        outcome: how it went.
        text: what was seen.
        seconds: how long it took. Default: nothing was sent.
        first_token: seconds to the first content of a stream. Default: there was none.
        request_id: by which logs know the request. Default: none was told.
        mend: what to do about it. Default: nothing.
        inconclusive: whether that it was skipped leaves open what was to be tested. Default: False.
    """

    name: str
    subject: str = ""
    outcome: Outcome
    text: str
    seconds: float | None = None
    first_token: float | None = None
    request_id: str = ""
    mend: str = ""
    inconclusive: bool = False


def passed(steps: Iterable[Step]) -> bool:
    """Whether everything that was to be tested works."""
    return not any(step.outcome is Outcome.FAILED or step.inconclusive for step in steps)
