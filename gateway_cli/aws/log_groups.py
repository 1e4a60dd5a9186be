"""Where functions log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def log_group(function: Mapping[str, Any]) -> str:
    """The log group of a function.

    Args:
        function: its configuration, as Lambda describes it.
    """
    return str((function.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}")
