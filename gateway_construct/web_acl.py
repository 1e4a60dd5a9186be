"""A web ACL of AWS WAF before the gateway's stage."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_construct.tokens import known

_LOWEST_RATE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class WebAcl:
    """AWS WAF's managed rules (common, known bad inputs) and a limit of requests from one address.

    Managed rules that look into bodies count instead of block: they take prompts for attacks. No sampled requests are kept,
    since their headers hold the callers' keys.

    Args:
        rate_limit_per_5_minutes: requests from one IP address in five minutes above which it is blocked, at least 10. Many
            users behind one proxy share an address. Default: 2000.

    Raises:
        ValueError: if the limit is lower than WAF allows.
    """

    rate_limit_per_5_minutes: int = 2000

    def __post_init__(self) -> None:
        limit = self.rate_limit_per_5_minutes
        if known(limit) and limit < _LOWEST_RATE:
            raise ValueError(f"web_acl: rate_limit_per_5_minutes must be at least {_LOWEST_RATE}, got {limit!r}")
