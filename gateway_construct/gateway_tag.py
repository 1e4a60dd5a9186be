"""The tags by which the command line finds what belongs to a gateway."""

from __future__ import annotations

import re

from constructs import Construct

# What API Gateway takes in a tag, which is less than others do.
_NOT_TAKEN = re.compile(r"[^A-Za-z0-9+\-=._:/]")
_LENGTH = 256


def gateway_path(gateway: Construct) -> str:
    """The path of a gateway's construct as the value of a tag: the same in all of a gateway's tags."""
    return _NOT_TAKEN.sub("-", gateway.node.path)[-_LENGTH:]
