"""What AWS allows, where it matters here: defaults of an account and a Region, and the rates of Lambda and DynamoDB.

Read in AWS's documents in November 2026. New accounts may have less, and some Regions do.
"""

from __future__ import annotations

from dataclasses import dataclass

CONCURRENCY = 1_000
"""Executions of all functions at the same time."""

SCALING_UNITS = 1_000
SCALING_SECONDS = 10.0
"""A function gets so many new instances in so many seconds. What is not used is not saved; it refills continuously."""

API_RATE = 10_000
API_RATE_SMALL_REGIONS = 2_500
API_BURST = 5_000

PARTITION_WRITES = 1_000
PARTITION_READS = 3_000
"""Capacity units a second of one partition, and so of one partition key whose load is on one item."""

NEW_TABLE_WRITES = 4_000
NEW_TABLE_READS = 12_000
"""What an on-demand table takes at once while it is new. Later twice its earlier peak, if that is more."""

SECRET_READS = 10_000

WRITE_UNIT_BYTES = 1_024
READ_UNIT_BYTES = 4_096


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """A limit of an account in a Region.

    Args:
        name: AWS's name of it.
        code: by which Service Quotas takes a request.
    """

    name: str
    code: str


LAMBDA_CONCURRENCY = Quota(name="Concurrent executions", code="L-B99A9384")
API_THROTTLE = Quota(name="Throttle rate", code="L-8A5B8E43")
