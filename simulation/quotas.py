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

TABLE_UNITS = 40_000
SECRET_READS = 10_000

WRITE_UNIT_BYTES = 1_024
READ_UNIT_BYTES = 4_096

FASTEST_TABLE_GROWTH = 2.0
"""Times the earlier peak of the last half an hour, over which an on-demand table may throttle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """A limit of an account in a Region.

    Args:
        service: AWS's name of the service.
        name: AWS's name of the quota.
        code: by which Service Quotas takes a request; empty if it has none here.
        default: its value.
        adjustable: whether AWS raises it.
    """

    service: str
    name: str
    code: str
    default: int
    adjustable: bool = True


LAMBDA_CONCURRENCY = Quota(service="Lambda", name="Concurrent executions", code="L-B99A9384", default=CONCURRENCY)
API_THROTTLE = Quota(service="API Gateway", name="Throttle rate", code="L-8A5B8E43", default=API_RATE)
TABLE_WRITES = Quota(service="DynamoDB", name="Table-level write throughput limit", code="", default=TABLE_UNITS)
TABLE_READS = Quota(service="DynamoDB", name="Table-level read throughput limit", code="", default=TABLE_UNITS)
SECRETS = Quota(
    service="Secrets Manager",
    name="Combined rate of DescribeSecret and GetSecretValue",
    code="",
    default=SECRET_READS,
    adjustable=False,
)
