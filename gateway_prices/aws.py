"""What AWS charges, in USD: list prices of us-east-1, for estimates only.

Every figure is an estimate: other Regions cost more or less, and free tiers, discounts and taxes are left out. Checked in
November 2026.
"""

from __future__ import annotations

from math import inf

CHECKED = "2026-11"
"""The month in which these prices were looked up."""

HOURS = 730
"""Hours that AWS counts a month."""

Tiers = tuple[tuple[float, float], ...]
"""Prices that fall with the amount: up to which amount a month, and the price of each unit up to there."""

REST_API_MILLION_REQUESTS = 3.50
"""API Gateway; every started 10 MB of a streamed answer count as a request."""

REST_API_TIERS: Tiers = ((333, REST_API_MILLION_REQUESTS), (1_000, 2.80), (20_000, 2.38), (inf, 1.51))
"""By the million requests."""

REST_API_STREAM_MB = 10
"""Megabytes of an answer that one request pays for."""

LAMBDA_MILLION_REQUESTS = 0.20
LAMBDA_ARM64_GB_SECOND = 0.0000133334
LAMBDA_X86_64_GB_SECOND = 0.0000166667
LAMBDA_STREAMED_GB = 0.008
"""Of an answer beyond its first `LAMBDA_STREAM_FREE_MB`."""

LAMBDA_STREAM_FREE_MB = 6
"""Megabytes of each answer that Lambda hands on without charge."""

LAMBDA_TIERS: dict[str, Tiers] = {
    "arm64": ((7.5e9, LAMBDA_ARM64_GB_SECOND), (18.75e9, 0.0000120001), (inf, 0.0000106667)),
    "x86_64": ((6e9, LAMBDA_X86_64_GB_SECOND), (15e9, 0.0000150000), (inf, 0.0000133334)),
}
"""By the GB-second, for each architecture."""

SECRET_MONTH = 0.40
SECRET_10_000_CALLS = 0.05

DYNAMODB_MILLION_WRITES = 0.625
DYNAMODB_MILLION_READS = 0.125

METRIC_MONTH = 0.30
"""A custom metric: one name with one set of dimension values. Charged for the hours in which it is written."""

ALARM_MONTH = 0.10
"""Of each metric that an alarm looks at by the minute or slower; one with metric math looks at several."""

FAST_ALARM_MONTH = 0.30
"""Of each metric that an alarm looks at every 10 or 30 seconds."""

DASHBOARD_MONTH = 3.00
LOGS_GB = 0.50
LAMBDA_LOGS_TIERS: Tiers = ((10_000, LOGS_GB), (30_000, 0.25), (50_000, 0.10), (inf, 0.05))
"""By the GB that functions write; logs of anything else have no tiers."""

WEB_ACL_MONTH = 5.00
WEB_ACL_RULE_MONTH = 1.00
WEB_ACL_MILLION_REQUESTS = 0.60

TRANSFER_TIERS: Tiers = ((10_240, 0.09), (51_200, 0.085), (153_600, 0.07), (inf, 0.05))
"""By the GB that leaves for the internet: answers to clients, and requests to upstreams."""

FARGATE_ARM64_VCPU_HOUR = 0.03238
FARGATE_ARM64_GB_HOUR = 0.00356

LOAD_BALANCER_HOUR = 0.0225
LOAD_BALANCER_UNIT_HOUR = 0.008
"""An Application Load Balancer's: 25 new connections a second, 3,000 open ones, or 1 GB an hour, whichever takes most units."""

PUBLIC_ADDRESS_HOUR = 0.005
NAT_GATEWAY_GB = 0.045

EC2_C5_LARGE_HOUR = 0.085

GUIDANCE_MONTH = 378.10
"""AWS's guidance for a multi-provider generative AI gateway, with its defaults on ECS: the sum of the cost table in its README.

In it are LiteLLM in two Graviton tasks of 2 vCPU and 4 GB, a database in two zones, two cache nodes, a load balancer with 1 TB,
a NAT gateway with 100 GB, which leave for the internet, and WAF.
"""

GUIDANCE_TASK_VCPU, GUIDANCE_TASK_GB, GUIDANCE_TASKS = 2.0, 4.0, 2
GUIDANCE_GB_OUT = 100
GUIDANCE_BALANCED_GB = 1_024
