"""The function's code as an asset: put together at synth from what was built before, without Docker and without network."""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
from pathlib import Path

from aws_cdk import Annotations, AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from function_build.bytecode import FUNCTION_PYTHON, bytecode_archive, compile_tree, find_function_python
from function_build.sources import BUILT, LOCK, RUNTIME, STAMP, VENDOR, digest, runtime_sources, vendor_digest
from gateway_construct.hooks import HookFiles
from lambda_runtime.config import CONFIG_FILE, HOOKS_DIRECTORY, GatewayConfig

_LAYOUT = "2"
"""Counts changes of the asset's layout, which belong into its hash."""


def function_code(scope: IConstruct, config: GatewayConfig, hooks: HookFiles | None = None) -> lambda_.Code:
    """The gateway function's code: third-party part, CA directory, runtime, configuration, wrapper, the user's hooks.

    The hash is taken over the runtime's sources, the lock of the third-party part, the configuration and the hooks. Bytecode is
    left out of it, so that a machine without the function's Python writes the same template.

    Args:
        scope: construct that warnings are attached to.
        config: travels with the code, so that a change of it is a new version.
        hooks: the user's hook module. Default: none.

    Raises:
        RuntimeError: if the third-party part was not built, or was built from another lock.
    """
    _require_built()
    if bytecode_archive() is None:
        version = ".".join(map(str, FUNCTION_PYTHON))
        # Not a warning: nothing is wrong with the app, and `cdk synth --strict` must not depend on what a machine has.
        Annotations.of(scope).add_info_v2(
            "cdk-ai-gateway:no-bytecode",
            f"no Python {version} was found to compile the function's bytecode, so each "
            "cold start compiles it (about 0.1 s more); install it on the machine that publishes the assets",
        )
    directory = Path(_staging_area().name, asset_hash(config, hooks))
    if not directory.exists():
        stage(directory, config, hooks)
    return lambda_.Code.from_asset(str(directory), asset_hash=directory.name, asset_hash_type=AssetHashType.CUSTOM)


@functools.cache
def _staging_area() -> tempfile.TemporaryDirectory[str]:
    # The CDK copies an asset when its function is made; until then the directory has to be there. Python removes it at exit.
    return tempfile.TemporaryDirectory(prefix="cdk-ai-gateway-")


def stage(directory: Path, config: GatewayConfig, hooks: HookFiles | None = None) -> None:
    """Write the asset's files.

    Args:
        directory: made here.
        config: written as `gateway.json`.
        hooks: written into `hooks/`, with bytecode where there is a Python to compile it. Default: none.
    """
    shutil.copytree(VENDOR, directory)
    for source in runtime_sources():
        if source.suffix == ".py":
            copy = directory / "lambda_runtime" / source.relative_to(RUNTIME)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    bytecode = bytecode_archive()
    if bytecode is not None:
        shutil.unpack_archive(bytecode, directory)
    wrapper = directory / "exec-wrapper"
    shutil.copyfile(RUNTIME / "exec-wrapper", wrapper)
    # Not taken from the source: a checkout or an installer may have lost it.
    wrapper.chmod(0o755)
    (directory / CONFIG_FILE).write_text(config.to_json(), "utf-8")
    if hooks is not None:
        _write_hooks(directory / HOOKS_DIRECTORY, hooks)


def asset_hash(config: GatewayConfig, hooks: HookFiles | None = None) -> str:
    """Hash of the asset, in hexadecimal: the same on every machine for the same sources, lock, configuration and hooks."""
    parts = (_LAYOUT, digest(LOCK, *runtime_sources()), config.to_json(), hooks.digest if hooks else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _write_hooks(directory: Path, hooks: HookFiles) -> None:
    hooks.write(directory)
    python = find_function_python()
    if python is not None:
        # A package may carry modules that no Python of today compiles and nobody imports.
        compile_tree(directory, python, below=HOOKS_DIRECTORY, strict=False)


def _require_built() -> None:
    if not STAMP.exists():
        raise RuntimeError(
            f"the function's third-party part is missing at '{BUILT}'; a wheel carries it, in a checkout run 'make asset'",
        )
    if STAMP.read_text().strip() != vendor_digest():
        raise RuntimeError(
            "the function's third-party part was built from another lambda_runtime/requirements.lock; run 'make asset'"
        )
