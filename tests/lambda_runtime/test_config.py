"""What a configuration refuses that the runtime could not use."""

from __future__ import annotations

import pytest

from lambda_runtime.config import OPENAI_OPERATIONS, AuthStyle, Endpoint


@pytest.mark.parametrize(
    "base_url",
    [
        "https://a.example:99999/v1",
        "https://a.example:port/v1",
        "https://a.example:0",
        "https://a b.example",
        "https://a.example/ü",
    ],
)
def test_a_base_url_that_no_request_can_be_sent_to_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be an absolute https URL, got"):
        Endpoint(base_url=base_url, auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS)
