from __future__ import annotations

import pytest

import gateway_construct
import gateway_construct.testing

pytestmark = pytest.mark.template

# A name that is added here is one that users will rely on; one that is removed breaks them.
PUBLIC = [
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


def test_public_names_are_these() -> None:
    assert gateway_construct.__all__ == PUBLIC


def test_users_can_mask_what_changes_with_the_library() -> None:
    assert callable(gateway_construct.testing.normalise_template)
