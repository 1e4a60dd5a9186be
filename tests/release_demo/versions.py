"""Three versions of a team's own code, and how each becomes a deployment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.local_gateway import ENVIRONMENT, ROOT
from tests.release_demo.plan import WEIGHT

_STABLE = """
def before_request(request):
    request.log["team"] = "search"
"""
_FAILING = """
PRICES = {"gpt-4": 2}


def before_request(request):
    # Nobody has thought of the other model.
    request.log["price"] = PRICES[request.model]
"""
_GOOD = _FAILING.replace('{"gpt-4": 2}', '{"gpt-4": 2, "gpt-4-mini": 0.5}').replace(
    "    # Nobody has thought of the other model.\n", ""
)

HOOKS = {"stable": _STABLE, "failing": _FAILING, "good": _GOOD}
"""The code by what it is."""


class Project:
    """A directory with an app, in which somebody works.

    Args:
        directory: an existing one.
        weight: of a canary's first share. Default: 5 %.
    """

    def __init__(self, directory: Path, *, weight: float = WEIGHT) -> None:
        self.weight = weight
        self._hooks = directory / "policy"
        self._hooks.mkdir()
        self.assembly = directory / "cdk.out"

    def synthesize(self, what: str, bake: int) -> None:
        """Change the code, and write the assembly anew.

        Args:
            what: which of `HOOKS`.
            bake: seconds that a canary of it bakes.
        """
        (self._hooks / "gateway_hooks.py").write_text(HOOKS[what])
        subprocess.run(
            [sys.executable, "-m", "tests.release_demo.app", str(self.assembly), str(self._hooks), str(bake), str(self.weight)],
            cwd=ROOT,
            env=ENVIRONMENT,
            check=True,
        )
