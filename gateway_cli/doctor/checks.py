"""All checks, in the order in which a gateway is looked through: what later ones need comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway_cli.doctor.access import check_access
from gateway_cli.doctor.alarms import check_alarms
from gateway_cli.doctor.circuits import check_circuits
from gateway_cli.doctor.configuration import check_configuration
from gateway_cli.doctor.findings import Finding
from gateway_cli.doctor.patient import Patient
from gateway_cli.doctor.quotas import check_concurrency, check_throttle
from gateway_cli.doctor.reachability import check_reachability
from gateway_cli.doctor.releases import check_release
from gateway_cli.doctor.rotation import check_rotation
from gateway_cli.doctor.secrets import check_secrets
from gateway_cli.doctor.table import check_table
from gateway_cli.doctor.versions import check_alias


class Check(NamedTuple):
    """A check.

    Args:
        name: what it looks at.
        find: looks.
    """

    name: str
    find: Callable[[Patient], Iterable[Finding]]


CLOCK = "clock"
"""The check that needs no gateway, and comes before one is looked for."""

UPSTREAMS = Check("upstreams", check_reachability)
"""The one check that asks somebody other than AWS."""

CHECKS = (
    Check("alias", check_alias),
    Check("configuration", check_configuration),
    Check("release", check_release),
    Check("secrets", check_secrets),
    Check("access", check_access),
    Check("rotation", check_rotation),
    UPSTREAMS,
    Check("circuits", check_circuits),
    Check("table", check_table),
    Check("alarms", check_alarms),
    Check("concurrency", check_concurrency),
    Check("throttle", check_throttle),
)
