"""Another logical id of one of these would lose what it holds, or change what clients have written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway_construct.resources import of_type

pytestmark = pytest.mark.template

PINNED = {
    "SecretsManager::Secret": {
        "GatewaySecretsholysheep3731E3EE",
        "GatewaySecretsopenaiB144232E",
        "GatewaySecretsanthropic07641E19",
    },
    "DynamoDB::Table": {"GatewayStateTable45D1B861"},
    "Logs::LogGroup": {"GatewayFunctionLogs731AE4F1", "GatewayAuthorizerLogs4B2F587A", "GatewayAccessLogs87AA0EC3"},
    "Lambda::Function": {"GatewayFunctionAC24D839", "GatewayAuthorizerFunction0908AFB6"},
    "Lambda::Alias": {"GatewayFunctionLiveA816D9F6"},
    "ApiGateway::RestApi": {"GatewayApi4EDF2151"},
    "ApiGateway::Stage": {"GatewayApiDeploymentStageprodFEE5D277"},
    "ApiGateway::ApiKey": {"GatewayConsumerssearchKeyF241AF46"},
    "ApiGateway::UsagePlan": {"GatewayConsumerssearchPlanFE972249"},
    "ApiGateway::UsagePlanKey": {"GatewayConsumerssearchMembership60B6A07E"},
    "ApiGateway::DomainName": {"GatewayDomainA47DB049"},
    "WAFv2::WebACL": {"GatewayWebAcl191107E5"},
}


@pytest.mark.parametrize("kind", PINNED)
def test_ids_stay(template_of: Callable[[str], Any], kind: str) -> None:
    assert set(of_type(template_of("everything"), kind)) == PINNED[kind]
