"""Keys among arguments, and the values that hold keys."""

import json

import pytest

from gateway_cli.credentials.values import looks_like_key, placeholder_key, require_no_key, with_key
from gateway_cli.errors import MISTAKEN, CommandError
from tests.gateway_cli.credentials.bench import PLACEHOLDER

KEYS = (
    "sk-proj-0123456789abcdefghij-and-more",
    "sk-ant-api03-AbcdefghijklmnOp",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "0123456789abcdef0123456789abcdef0",
    "ABSKQmVkcm9ja0FQSUtleQ",
)
NAMES = ("openai", "azure-openai-eastus-2", "sk-relay", "a", "llama-3-70b", "OpenAI", "x" * 32)
EITHER = ("azure-openai-eastus-2024", "sk-0123456789abcdef01234")


@pytest.mark.parametrize("word", KEYS)
def test_keys_are_told_from_names(word: str) -> None:
    assert looks_like_key(word)
    for words in ([word], ["openai", word], [word, "openai"]):
        with pytest.raises(CommandError) as caught:
            require_no_key("stage", words)
        assert caught.value.status == MISTAKEN
        assert word not in str(caught.value)
        assert "a key is never given as an argument" in str(caught.value)


@pytest.mark.parametrize("word", NAMES)
def test_names_are_no_keys(word: str) -> None:
    assert not looks_like_key(word)
    require_no_key("stage", [word])


@pytest.mark.parametrize("word", EITHER)
def test_what_may_be_either_is_looked_for_among_the_upstreams(word: str) -> None:
    require_no_key("stage", [word])
    assert looks_like_key(word), "so that it is told if there is no such upstream"


def test_whatever_is_too_much_may_be_a_key() -> None:
    with pytest.raises(CommandError, match="ai-gateway credentials set openai < file"):
        require_no_key("set", ["openai", "short"])


def test_the_placeholder() -> None:
    assert placeholder_key(PLACEHOLDER, "apiKey") == "s0mething-rand0m"
    for value in (None, "sk-1", "{", '{"apiKey": "sk-1"}', '{"placeholder": "yes", "apiKey": "sk-1"}'):
        assert placeholder_key(value, "apiKey") is None


def test_a_value_keeps_its_form_and_what_else_is_in_it() -> None:
    assert with_key(None, "apiKey", "sk-2") == "sk-2"
    assert with_key("sk-1", "apiKey", "sk-2") == "sk-2"
    assert with_key("{broken", "apiKey", "sk-2") == "sk-2"
    value = '{"a": [1], "apiKey": "sk-1", "serviceAccountId": "svc", "placeholder": false}'
    kept = {"a": [1], "apiKey": "sk-2", "serviceAccountId": "svc", "placeholder": False}
    assert json.loads(with_key(value, "apiKey", "sk-2")) == kept
    kept.pop("serviceAccountId")
    assert json.loads(with_key(value, "apiKey", "sk-2", without=["serviceAccountId"])) == kept
    assert json.loads(with_key(PLACEHOLDER, "apiKey", "sk-2")) == {"apiKey": "sk-2"}
    assert json.loads(with_key("{}", "apiKey", "sk-2")) == {"apiKey": "sk-2"}
