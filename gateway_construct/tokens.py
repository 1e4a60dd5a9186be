"""Checks of values that may be known only at deployment."""

from __future__ import annotations

import math

from aws_cdk import Duration, Token


def known(number: float) -> bool:
    """Whether a number is known at synth and so can be checked. One that is not finite is: the CDK could not even be asked."""
    return not math.isfinite(number) or not Token.is_unresolved(number)


def within_seconds(duration: Duration, maximum: Duration) -> bool:
    """Whether a duration is a whole number of seconds from one to the maximum, or not known yet."""
    if duration.is_unresolved():
        return True
    seconds = duration.to_seconds(integral=False)
    return seconds == int(seconds) and 1 <= seconds <= maximum.to_seconds()
