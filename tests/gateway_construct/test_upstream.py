from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Aws, Stack
from aws_cdk.aws_secretsmanager import Secret

from gateway_construct import HOLYSHEEP_EXAMPLE_MODELS, AuthStyle, Operation, Upstream

CHAT, RESPONSES, EMBEDDINGS = Operation.CHAT_COMPLETIONS, Operation.RESPONSES, Operation.EMBEDDINGS
MESSAGES, COUNT = Operation.MESSAGES, Operation.COUNT_TOKENS


@pytest.mark.parametrize(
    ("upstream", "name", "endpoints"),
    [
        (
            Upstream.holysheep(),
            "holysheep",
            [
                ("https://api.holysheep.ai/v1", AuthStyle.BEARER, (CHAT,)),
                ("https://api.holysheep.ai", AuthStyle.X_API_KEY, (MESSAGES,)),
            ],
        ),
        (Upstream.openai(), "openai", [("https://api.openai.com/v1", AuthStyle.BEARER, (CHAT, RESPONSES, EMBEDDINGS))]),
        (Upstream.anthropic(), "anthropic", [("https://api.anthropic.com", AuthStyle.X_API_KEY, (MESSAGES, COUNT))]),
        (
            Upstream.deepseek(),
            "deepseek",
            [
                ("https://api.deepseek.com/v1", AuthStyle.BEARER, (CHAT,)),
                ("https://api.deepseek.com/anthropic", AuthStyle.X_API_KEY, (MESSAGES,)),
            ],
        ),
        (
            Upstream.gemini(),
            "gemini",
            [("https://generativelanguage.googleapis.com/v1beta/openai", AuthStyle.BEARER, (CHAT, EMBEDDINGS))],
        ),
        (
            Upstream.bedrock("eu-central-1"),
            "bedrock",
            [("https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1", AuthStyle.BEARER, (CHAT, RESPONSES))],
        ),
        (
            Upstream.openai_compatible("vllm", base_url="http://localhost:8000/v1"),
            "vllm",
            [("http://localhost:8000/v1", AuthStyle.BEARER, (CHAT, RESPONSES, EMBEDDINGS))],
        ),
        (
            Upstream.anthropic_compatible("relay", base_url="https://relay.example.com"),
            "relay",
            [("https://relay.example.com", AuthStyle.X_API_KEY, (MESSAGES,))],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_presets(upstream: Upstream, name: str, endpoints: list[tuple[str, AuthStyle, tuple[Operation, ...]]]) -> None:
    assert upstream.name == name
    assert [(e.base_url, e.auth, e.operations) for e in upstream.config.endpoints] == endpoints


@pytest.mark.parametrize(
    "make",
    [Upstream.holysheep, Upstream.openai, Upstream.anthropic, Upstream.deepseek, Upstream.gemini],
    ids=lambda make: make.__name__,
)
def test_presets_take_name_secret_and_field(make: Any, stack: Stack) -> None:
    secret = Secret.from_secret_name_v2(stack, "Secret", "name")
    upstream = make(name="other", secret=secret, secret_field="key")
    assert (upstream.name, upstream.secret, upstream.config.secret_field) == ("other", secret, "key")


def test_a_preset_takes_another_address() -> None:
    upstream = Upstream.openai(name="openai-eu", base_url="https://eu.api.openai.com/v1")
    assert [e.base_url for e in upstream.config.endpoints] == ["https://eu.api.openai.com/v1"]


OWN_MODELS = {
    "openai": ["gpt-4.1", "o1", "o3-mini", "o4-mini", "chatgpt-4o-latest", "text-embedding-3-small", "ft:gpt-4o:acme::x"],
    "anthropic": ["claude-sonnet-5-5", "claude-3-5-haiku-latest"],
    "deepseek": ["deepseek-chat", "deepseek-reasoner"],
    "gemini": ["gemini-2.5-flash", "models/gemini-2.5-pro", "gemma-3-27b-it", "text-embedding-004", "gemini-embedding-001"],
}
FIRST_PARTY = [Upstream.openai(), Upstream.anthropic(), Upstream.deepseek(), Upstream.gemini()]


@pytest.mark.parametrize(("provider", "model"), [(name, model) for name, models in OWN_MODELS.items() for model in models])
def test_a_providers_model_is_told_by_its_name(provider: str, model: str) -> None:
    assert [upstream.name for upstream in FIRST_PARTY if upstream.config.may_have(model)] == [provider]


@pytest.mark.parametrize("upstream", [Upstream.holysheep(), Upstream.bedrock("us-west-2")], ids=["holysheep", "bedrock"])
def test_a_provider_of_many_vendors_may_have_any_model(upstream: Upstream) -> None:
    assert upstream.config.model_prefixes == ()
    assert upstream.config.may_have("whatever")


def test_a_compatible_upstream_says_what_it_has() -> None:
    vllm = Upstream.openai_compatible(
        "vllm", base_url="https://a.example/v1", model_prefixes=["llama-", "qwen"], stream_usage=False
    )
    assert (vllm.config.model_prefixes, vllm.config.stream_usage) == (("llama-", "qwen"), False)
    relay = Upstream.anthropic_compatible("relay", base_url="https://a.example", model_prefixes=["claude-"])
    assert (relay.config.model_prefixes, relay.config.stream_usage) == (("claude-",), True)
    assert Upstream.openai_compatible("any", base_url="https://a.example/v1").config.may_have("whatever")


@pytest.mark.parametrize("make", [Upstream.openai_compatible, Upstream.anthropic_compatible], ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        ("llama-", r"upstream 'a': model_prefixes must be a list, got the string 'llama-'; write \['llama-'\]"),
        (["llama-", ""], "upstream 'a': a prefix must not be empty"),
        ([Aws.REGION], "upstream 'a': model_prefixes must be known at synth, got a token"),
    ],
)
def test_what_no_name_begins_with_is_refused(make: Any, prefixes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make("a", base_url="https://a.example", model_prefixes=prefixes)


def test_example_models_are_off_unless_asked_for() -> None:
    assert not Upstream.holysheep().example_models
    assert Upstream.holysheep(example_models=True).example_models == HOLYSHEEP_EXAMPLE_MODELS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "OpenAI", "base_url": "https://a.example/v1"}, "upstream name must be .* got 'OpenAI'"),
        ({"name": "a", "base_url": "a.example/v1"}, "base_url must be an absolute https URL, got 'a.example/v1'"),
        ({"name": "a", "base_url": "https://a.example/v1/"}, "write 'https://a.example/v1'"),
        ({"name": "a", "base_url": "https://user:key@a.example/v1"}, "keys belong in the upstream's secret"),
        ({"name": "a", "base_url": "https://a.example/v1", "operations": []}, "operations must not be empty"),
        (
            {"name": "a", "base_url": "https://a.example", "operations": [CHAT, MESSAGES]},
            "operations must be of one wire format",
        ),
        (
            {"name": "a", "base_url": "https://a.example", "operations": [MESSAGES]},
            "openai_compatible: .* anthropic_compatible",
        ),
        ({"name": "a", "base_url": f"https://{Aws.REGION}.a.example/v1"}, "base_url must be known at synth, got a token"),
    ],
)
def test_mistakes_are_explained(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Upstream.openai_compatible(arguments.pop("name"), **arguments)


def test_an_anthropic_upstream_serves_no_openai_operation() -> None:
    with pytest.raises(ValueError, match=r"anthropic_compatible: .* openai_compatible"):
        Upstream.anthropic_compatible("a", base_url="https://a.example", operations=[CHAT])


def test_bedrock_wants_a_region_that_is_known() -> None:
    with pytest.raises(ValueError, match="region must be known at synth, got a token"):
        Upstream.bedrock(Aws.REGION)


@pytest.mark.parametrize("region", ["", "US-WEST-2", "us-west-2/"])
def test_bedrock_wants_a_region(region: str) -> None:
    with pytest.raises(ValueError, match="region must be an AWS Region"):
        Upstream.bedrock(region)


def test_an_upstream_without_key_takes_no_secret(stack: Stack) -> None:
    secret = Secret.from_secret_name_v2(stack, "Secret", "name")
    with pytest.raises(ValueError, match=r"upstream 'vllm' takes no key .* must not be given a secret"):
        Upstream.openai_compatible("vllm", base_url="http://localhost:8000/v1", auth=AuthStyle.NONE, secret=secret)


@pytest.mark.parametrize("secret_field", ["", "placeholder"])
def test_the_field_of_a_secret_is_not_the_one_that_marks_a_placeholder(secret_field: str) -> None:
    with pytest.raises(
        ValueError, match=r"upstream 'openai': secret_field must be the name of a field other than 'placeholder'"
    ):
        Upstream.openai(secret_field=secret_field)


def test_a_secret_is_no_arn_and_what_may_be_a_key_is_not_shown() -> None:
    with pytest.raises(
        ValueError, match=r"upstream 'openai': secret must be .*, got a str; .*from_secret_complete_arn"
    ) as caught:
        Upstream.openai(secret="sk-1234")  # type: ignore[arg-type]
    assert "sk-1234" not in str(caught.value)
