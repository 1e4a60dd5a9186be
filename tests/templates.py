"""Templates of the documented configurations and of the app, synthesized once a process."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from gateway_app.context import KEY, read_context
from gateway_app.stack import GatewayStack
from tests.configurations import CONFIGURATIONS, stack_of

ROOT = Path(__file__).parent.parent
THE_APP = "app"
NAMES = (*CONFIGURATIONS, THE_APP)
"""The documented configurations, and the app as cdk.json configures it."""

Json = dict[str, Any]


@functools.cache
def template_of(name: str) -> Json:
    """A template by name."""
    if name == THE_APP:
        return app_template()
    return Template.from_stack(stack_of(name)).to_json()


@functools.cache
def app_template() -> Json:
    """What `python app.py` writes for cdk.json."""
    app = App(context=cdk_json()["context"], stack_traces=False)
    return Template.from_stack(GatewayStack(app, read_context(app.node.try_get_context(KEY)))).to_json()


def cdk_json() -> Json:
    """The file cdk.json."""
    return json.loads((ROOT / "cdk.json").read_text("utf-8"))


def synthesize(command: list[str], outdir: Path, *, cwd: Path = ROOT, python: str = sys.executable, **environment: str) -> None:
    """Run an app as its own process, as the CDK CLI does.

    Args:
        command: what follows `python`.
        outdir: gets the cloud assembly.
        cwd: where it runs.
        python: what it runs with.
        environment: more environment variables.
    """
    completed = subprocess.run(
        [python, *command],
        cwd=cwd,
        env=child_environment(CDK_OUTDIR=str(outdir), **environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


def child_environment(**more: str) -> dict[str, str]:
    """This process's environment with the tools of its Python first, and without what would bind a stack to an account."""
    inherited: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "PYTEST_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**inherited, "CDK_VALIDATION": "false", "PATH": path, "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1", **more}
