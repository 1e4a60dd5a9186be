"""The gateway's configuration: one definition, validated where it is written (synth), trusted where it is read (run time)."""

from lambda_runtime.config.formats import ANTHROPIC_OPERATIONS, OPENAI_OPERATIONS, AuthStyle, Operation, WireFormat
from lambda_runtime.config.gateway import (
    CONFIG_FILE,
    HOOKS_DIRECTORY,
    LIMITS_VARIABLE,
    METRICS_NAMESPACE,
    PLACEHOLDER_FIELD,
    TABLE_VARIABLE,
    GatewayConfig,
)
from lambda_runtime.config.models import Delivery, ModelRoute, Target
from lambda_runtime.config.timeouts import Timeouts
from lambda_runtime.config.upstreams import Endpoint, UpstreamConfig

__all__ = [
    "ANTHROPIC_OPERATIONS",
    "CONFIG_FILE",
    "HOOKS_DIRECTORY",
    "LIMITS_VARIABLE",
    "METRICS_NAMESPACE",
    "OPENAI_OPERATIONS",
    "PLACEHOLDER_FIELD",
    "TABLE_VARIABLE",
    "AuthStyle",
    "Delivery",
    "Endpoint",
    "GatewayConfig",
    "ModelRoute",
    "Operation",
    "Target",
    "Timeouts",
    "UpstreamConfig",
    "WireFormat",
]
