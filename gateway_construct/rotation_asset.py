"""The rotation function's code: its own directory of `lambda_runtime`, and the few modules of it that it shares."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_

from function_build.sources import RUNTIME, digest

HANDLER = "lambda_runtime.rotation.index.handler"
_SHARED = ("__init__.py", "log.py", "secret_value.py")
_DIRECTORIES = ("config", "rotation")


def rotation_code() -> lambda_.Code:
    """The code. boto3 comes with Lambda's managed runtime, so that nothing else goes along."""
    files = rotation_sources()
    directory = Path(_staging_area().name, digest(*files))
    if not directory.exists():
        for source in files:
            copy = directory / RUNTIME.name / source.relative_to(RUNTIME)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    return lambda_.Code.from_asset(str(directory), asset_hash=directory.name, asset_hash_type=AssetHashType.CUSTOM)


def rotation_sources() -> list[Path]:
    """The files, in a fixed order."""
    modules = [path for name in _DIRECTORIES for path in (RUNTIME / name).rglob("*.py")]
    return sorted([*modules, *(RUNTIME / name for name in _SHARED)])


@functools.cache
def _staging_area() -> tempfile.TemporaryDirectory[str]:
    # The CDK copies an asset when its function is made; until then the directory has to be there. Python removes it at exit.
    return tempfile.TemporaryDirectory(prefix="cdk-ai-gateway-rotation-")
