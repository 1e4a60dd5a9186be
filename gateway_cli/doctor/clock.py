"""This machine's clock, by AWS's: requests whose signature is too old or too new are refused."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.doctor.findings import Finding, error, ok, skipped, warning
from gateway_cli.times import duration_of

_TOO_MUCH, _NOTABLE = 300.0, 30.0
_SET = {
    "darwin": "sudo sntp -sS time.apple.com",
    "win32": "w32tm /resync",
}


def check_clock(connection: Connection) -> Iterator[Finding]:
    """The machine's clock is near enough to AWS's."""
    if connection.local:
        yield skipped("", "the embedded AWS runs by this machine's clock")
        return
    before = time.time()
    try:
        answer: dict[str, Any] = connection.client("sts").get_caller_identity()
    except ClientError as problem:
        # A refusal has a date, too, and a clock that is far off is why there is one.
        answer = dict(problem.response)
    after = time.time()
    try:
        there = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        yield skipped("", "AWS's answer carries no date")
        return
    # Dates are in whole seconds: on average half a second has been cut off.
    skew = (before + after) / 2 - (there + 0.5)
    text = f"this machine's clock is {duration_of(abs(skew))} {'ahead of' if skew > 0 else 'behind'} AWS's"
    mend = _SET.get(sys.platform, "sudo timedatectl set-ntp true")
    if abs(skew) > _TOO_MUCH:
        yield error("", f"{text}: requests are refused for their signature", mend)
    elif abs(skew) > _NOTABLE:
        yield warning("", f"{text}; from 5 minutes on requests are refused for their signature", mend)
    else:
        yield ok("", "this machine's clock is AWS's" if abs(skew) < 1 + after - before else text)
