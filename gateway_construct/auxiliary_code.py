"""The code of the functions beside the gateway's own: each is a part of `lambda_runtime` that AWS's own runtime client runs."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_

from function_build.sources import RUNTIME, digest

_PARTS = {
    "authorizer": (),
    "consumer_limits": ("custom_resource",),
    "release": ("custom_resource",),
    "rotation": ("config", "log.py", "secret_value.py"),
}
"""By the function's directory, the modules and directories of `lambda_runtime` that it shares with others."""


def auxiliary_code(name: str) -> lambda_.Code:
    """A function's code. boto3 comes with Lambda's managed runtime, so that nothing else goes along.

    Args:
        name: its directory in `lambda_runtime`.
    """
    files = auxiliary_sources(name)
    directory = Path(_staging_area().name, digest(*files))
    if not directory.exists():
        for source in files:
            copy = directory / RUNTIME.name / source.relative_to(RUNTIME)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return lambda_.Code.from_asset(str(directory), asset_hash=directory.name, asset_hash_type=AssetHashType.CUSTOM)


def handler_of(name: str) -> str:
    """The handler's name, as Lambda wants it."""
    return f"{RUNTIME.name}.{name}.index.handler"


def auxiliary_sources(name: str) -> list[Path]:
    """The files, in a fixed order."""
    roots = [RUNTIME / part for part in ("__init__.py", name, *_PARTS[name])]
    return sorted(path for root in roots for path in (root.rglob("*.py") if root.is_dir() else (root,)))


@functools.cache
def _staging_area() -> tempfile.TemporaryDirectory[str]:
    # The CDK copies an asset when its function is made; until then the directory has to be there. Python removes it at exit.
    return tempfile.TemporaryDirectory(prefix="cdk-ai-gateway-functions-")
