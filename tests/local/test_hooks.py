"""The example of hooks behind the local gateway: consumers by their keys, both SDKs."""

from pathlib import Path

import anthropic
import openai
import pytest

from tests.local_gateway import running
from tests.templates import synthesize

pytestmark = pytest.mark.local


def test_hooks_are_called_with_each_request(tmp_path: Path) -> None:
    synthesize(["examples/hooks/hooks_app.py"], tmp_path / "cdk.out")
    with running(tmp_path / "cdk.out", "--verbose", scratch=tmp_path) as gateway:
        shop = openai.OpenAI(base_url=gateway.openai_base_url, api_key=gateway.keys["web shop"], max_retries=0)
        assert shop.chat.completions.create(model="fast", messages=[{"role": "user", "content": "Hello"}]).choices
        gateway.wait_for('"hooks":{"cost_centre":"4711"}')

        # Retries, because this consumer's plan is two requests a second; a refusal is not repeated.
        reports = anthropic.Anthropic(base_url=gateway.anthropic_base_url, api_key=gateway.keys["reports"])
        with pytest.raises(anthropic.PermissionDeniedError) as caught:
            reports.messages.create(model="careful", max_tokens=10, messages=[{"role": "user", "content": "Hello"}])
        assert caught.value.type == "permission_error"
        assert "the model 'careful' is not for reports; use 'fast'" in str(caught.value)
        assert reports.messages.create(model="fast", max_tokens=10, messages=[{"role": "user", "content": "Hello"}]).content
        gateway.wait_for('"hooks":{"cost_centre":"4712"}')
        assert gateway.printed('"error":"model_not_allowed"') == 1
