"""What AWS charges, in USD: list prices of us-east-1, for estimates only.

Every figure is an estimate: other Regions cost more or less, and free tiers, discounts and taxes are left out. Checked in
November 2026.
"""

from __future__ import annotations

REST_API_MILLION_REQUESTS = 3.50
"""API Gateway; every started 10 MB of a streamed answer count as a request."""

LAMBDA_MILLION_REQUESTS = 0.20
LAMBDA_ARM64_GB_SECOND = 0.0000133334
LAMBDA_X86_64_GB_SECOND = 0.0000166667

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

WEB_ACL_MONTH = 5.00
WEB_ACL_RULE_MONTH = 1.00
WEB_ACL_MILLION_REQUESTS = 0.60

STEP_FUNCTIONS_1_000_TRANSITIONS = 0.025
