"""Build hook: a wheel carries the function's third-party part, so that synth needs no network."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FunctionAssetHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `gateway_construct/_function` before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build it, unless this is an editable install, where `make` does it."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root)))
        from function_build.vendor import build  # noqa: PLC0415 - only found once the path says where

        build()
