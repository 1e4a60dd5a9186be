"""The function's environment variables: the construct's own and the user's, which must not replace them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_cdk import Token
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_secretsmanager import ISecret

from lambda_runtime.config import LIMITS_VARIABLE, TABLE_VARIABLE, GatewayConfig

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_OWN_PREFIXES = ("UPSTREAM_SECRET_", "AI_GATEWAY_")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_LAMBDAS_PREFIXES = ("AWS_LAMBDA_FUNCTION_", "AWS_LAMBDA_LOG_")
_LAMBDAS = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    },
)
_BYTES = 4096


def function_environment(
    config: GatewayConfig,
    environment: Mapping[str, str] | None,
    *,
    secrets: Mapping[str, ISecret],
    table: ITable | None,
) -> dict[str, str]:
    """All of the function's variables.

    Args:
        config: the gateway's configuration.
        environment: the user's.
        secrets: the secret of each upstream that takes a key, by its name.
        table: the gateway's. None: it has none.

    Raises:
        ValueError: if the user's replace one of the gateway's own or of Lambda's, or if Lambda would not take all of them.
    """
    own = {EXEC_WRAPPER: "/var/task/exec-wrapper"}
    own |= {config.upstream(name).secret_variable: secret.secret_arn for name, secret in secrets.items()}
    if table is not None:
        own[TABLE_VARIABLE] = table.table_name
    for name in environment or {}:
        if name in own or name.startswith(_OWN_PREFIXES):
            raise ValueError(
                f"environment: {name!r} is one of the gateway's own variables and cannot be set; {EXEC_WRAPPER} and names that "
                f"start with {' or '.join(_OWN_PREFIXES)} are reserved",
            )
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"environment: a name must be two or more letters, digits or underscores, the first a letter, got {name!r}",
            )
        if name in _LAMBDAS or name.startswith(_LAMBDAS_PREFIXES):
            raise ValueError(f"environment: {name!r} is set by Lambda, which refuses a function that sets it; leave it out")
    variables = {**(environment or {}), **own}
    # One more comes with the first consumer that has limits.
    _require_room({**variables, LIMITS_VARIABLE: "1"})
    return variables


def _require_room(variables: Mapping[str, str]) -> None:
    """Lambda's limit, as far as it can be told: ARNs of secrets of the same app are known at deployment only."""
    # Their names alone, then.
    size = sum(len(name) + (0 if Token.is_unresolved(value) else len(value.encode())) for name, value in variables.items())
    if size > _BYTES:
        longest = max(variables, key=lambda name: 0 if Token.is_unresolved(variables[name]) else len(variables[name]))
        raise ValueError(
            f"environment: the function's variables must not have more than {_BYTES} bytes together, got {size}, most of them "
            f"in {longest!r}; keep long values elsewhere",
        )
