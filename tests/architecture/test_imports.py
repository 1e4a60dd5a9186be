"""Which package may import which, read from the sources: what is not allowed here would work until it runs in Lambda."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What each package may import besides the standard library and itself. A dotted name is that module only.
ALLOWED = {
    "lambda_runtime": {"httpx"},
    "lambda_runtime/authorizer": set(),
    # Called by CloudFormation; the managed runtime has boto3.
    "lambda_runtime/custom_resource": {"botocore"},
    "lambda_runtime/consumer_limits": {"boto3", "botocore", "lambda_runtime.custom_resource"},
    "lambda_runtime/release": {"boto3", "botocore", "lambda_runtime.custom_resource"},
    # Called by Secrets Manager. What it shares with the gateway is pure, and goes into its asset (auxiliary_code.py).
    "lambda_runtime/rotation": {
        "boto3",
        "botocore",
        "lambda_runtime.config",
        "lambda_runtime.log",
        "lambda_runtime.rotation",
        "lambda_runtime.secret_value",
    },
    "gateway_construct": {"aws_cdk", "constructs", "function_build", "gateway_prices", "lambda_runtime.config"},
    # What AWS and providers charge, for synth and the command line.
    "gateway_prices": {"genai_prices", "lambda_runtime.config"},
    # Runs in the bare environment in which a wheel is built.
    "function_build": {"cryptography"},
    "gateway_cli": {
        "aiohttp",
        "boto3",
        "botocore",
        "function_build",
        "gateway_prices",
        "lambda_runtime.budgets",
        "lambda_runtime.config",
        # Pure, and what the gateway itself goes by: what a secret's value says, what a whole stream is.
        "lambda_runtime.secret_value",
        "lambda_runtime.state.breaker",
        "lambda_runtime.state.items",
        "lambda_runtime.state.operator_actions",
        "lambda_runtime.state.usage_months",
        "lambda_runtime.state.window",
        "lambda_runtime.streams",
        "multidict",
        "mypy_boto3_*",
        "pygal",
        "rich",
        "typer",
    },
    # The gateway's own rules in simulated time: docs/scale.md.
    "simulation": {
        "gateway_prices",
        "lambda_runtime.config",
        "lambda_runtime.errors",
        "lambda_runtime.failures",
        "lambda_runtime.invocation",
        "lambda_runtime.request_log",
        "lambda_runtime.router",
        "lambda_runtime.state",
        "lambda_runtime.turns",
        "lambda_runtime.usage",
        "simpy",
    },
    "examples": {"aws_cdk", "constructs", "gateway_construct", "lambda_runtime.hooks", "search_stack"},
    "gateway_app": {"aws_cdk", "cdk_nag", "constructs", "gateway_construct", "lambda_runtime.config"},
}


def imports(source: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each import, wherever it is in the file."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: imports are absolute"
            for alias in node.names:
                # Of `from package import module` the module is what matters; of a name in a module the module is.
                full = f"{node.module}.{alias.name}"
                is_module = (ROOT / full.replace(".", "/")).with_suffix(".py").exists() or (
                    ROOT / full.replace(".", "/")
                ).is_dir()
                yield node.lineno, full if is_module else str(node.module)


def is_allowed(name: str, package: str) -> bool:
    """Whether a package may import a module."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (top == package and package != "lambda_runtime/authorizer"):
        return True
    for allowed in ALLOWED[package]:
        prefix = allowed.removesuffix("*")
        if name == prefix or name.startswith(prefix if allowed.endswith("*") else f"{prefix}."):
            return True
    return False


def sources(package: str) -> list[Path]:
    """A package's files, without those of a package inside it that has rules of its own, and without what is built."""
    inner = [ROOT / other for other in ALLOWED if other.startswith(f"{package}/")]
    return [
        path
        for path in sorted((ROOT / package).rglob("*.py"))
        if "_function" not in path.parts and not any(path.is_relative_to(directory) for directory in inner)
    ]


@pytest.mark.parametrize("package", list(ALLOWED))
def test_package_imports_only_what_it_may(package: str) -> None:
    files = sources(package)
    assert files
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in files
        for line, name in imports(path)
        if not is_allowed(name, package)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["gateway_construct", "gateway_cli", "gateway_prices", "lambda_runtime"])
def test_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
