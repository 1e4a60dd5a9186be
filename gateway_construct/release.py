"""Releases: which versions of the function the `live` alias sends requests to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Token

from gateway_construct.tokens import known

_VERSION = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class AllAtOnce:
    """Every request goes to the new version as soon as it is deployed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighted:
    """A fixed share of the requests goes to the new version, the others stay with a version that was published before.

    Change the weight and deploy again to go on; `AllAtOnce` ends it. A deployment that publishes no new version fails when the
    newest version is the stable one: an alias cannot weigh a version against itself.

    Args:
        stable_version: number of the version that takes the rest, for example "7". It must still exist; the gateway keeps
            every version that it published.
        weight: share of the new version, from 0 to 1.

    Raises:
        ValueError: if the version is not a number or the weight not within 0 and 1.
    """

    stable_version: str
    weight: float

    def __post_init__(self) -> None:
        if not Token.is_unresolved(self.stable_version) and not _VERSION.fullmatch(self.stable_version):
            raise ValueError(
                f"weighted: stable_version must be the number of a published version, for example '7', got "
                f"{self.stable_version!r}; list them with 'aws lambda list-versions-by-function'",
            )
        if known(self.weight) and not 0 <= self.weight <= 1:
            raise ValueError(f"weighted: weight must be from 0 to 1, for example 0.05, got {self.weight!r}")


Release = AllAtOnce | Weighted
"""How a new version takes over."""
