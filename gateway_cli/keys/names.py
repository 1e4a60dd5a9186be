"""Names of consumers: how they are written, and where API Gateway keeps them."""

from __future__ import annotations

import re

from gateway_cli.errors import MISTAKEN, CommandError

_DESCRIPTION = "AI gateway consumer "
"""The construct describes a consumer's key and usage plan with this and the name: API Gateway has no better place for it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


def parse_consumer(name: str) -> str:
    """A consumer's name, as the construct takes it.

    Raises:
        CommandError: if it is none.
    """
    if not _NAME.fullmatch(name):
        raise CommandError(
            "a consumer's name is 1 to 64 letters, digits, spaces, dots, hyphens or underscores and starts with a letter or "
            f"digit, got {name!r}",
            status=MISTAKEN,
        )
    return name


def description_of(consumer: str) -> str:
    """What a consumer's key is described with."""
    return _DESCRIPTION + consumer


def consumer_of(description: str, name: str) -> str:
    """The consumer that a key or a usage plan is of.

    Args:
        description: API Gateway's.
        name: API Gateway's, for what somebody made with other tools and described otherwise.
    """
    return description.removeprefix(_DESCRIPTION) if description.startswith(_DESCRIPTION) else name
