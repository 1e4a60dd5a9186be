"""An AI gateway as an AWS CDK construct."""

from gateway_construct.consumer import Consumer
from gateway_construct.domain import CustomDomain
from gateway_construct.gateway import AiGateway
from gateway_construct.plan import Plan, Quota
from gateway_construct.provider_models import HOLYSHEEP_EXAMPLE_MODELS
from gateway_construct.release import AllAtOnce, Canary, CodeDeploy, Weighted
from gateway_construct.rotation import Rotation
from gateway_construct.upstream import Upstream
from gateway_construct.web_acl import WebAcl
from lambda_runtime.config import AuthStyle, Delivery, ModelRoute, Operation, Target, Timeouts
from lambda_runtime.config.federation import AnthropicFederation, OpenAiFederation
from lambda_runtime.config.prices import Price

__all__ = [
    "HOLYSHEEP_EXAMPLE_MODELS",
    "AiGateway",
    "AllAtOnce",
    "AnthropicFederation",
    "AuthStyle",
    "Canary",
    "CodeDeploy",
    "Consumer",
    "CustomDomain",
    "Delivery",
    "ModelRoute",
    "OpenAiFederation",
    "Operation",
    "Plan",
    "Price",
    "Quota",
    "Rotation",
    "Target",
    "Timeouts",
    "Upstream",
    "WebAcl",
    "Weighted",
]
