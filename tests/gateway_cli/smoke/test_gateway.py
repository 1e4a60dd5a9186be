"""`smoke gateway` as it is typed, against servers on loopback that answer as a gateway does, or do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway_cli.app import app
from gateway_cli.errors import FAILED, MISTAKEN
from tests.gateway_cli.gateways import DONE, Done
from tests.gateway_cli.smoke.conftest import CHAT, CHAT_EVENTS, ID, STREAM, Provider, error
from tests.lambda_runtime.upstream_server import answer_bytes, answer_json, answer_stream, answer_with_silence, serve


def call(*arguments: str, key: str = "") -> Done:
    done = CliRunner(env={"AI_GATEWAY_KEY": key} if key else {}).invoke(app, ["smoke", "gateway", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def steps(gateway: Provider, *options: str, status: int = DONE) -> list[dict[str, Any]]:
    done = call("--url", gateway.server.url, "--json", *options, key=gateway.key)
    assert done.exit_code == status, done.stdout + done.stderr
    assert gateway.key not in done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["url"] == gateway.server.url
    found: list[dict[str, Any]] = document["steps"]
    return found


def failed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for step in found if step["outcome"] != "passed"]


def test_all_is_well(provider: Provider) -> None:
    provider.models = ["gpt-4", "claude"]
    found = steps(provider)
    assert [(step["name"], step["subject"]) for step in found] == [
        ("wrong key", None),
        ("models", None),
        ("request", "gpt-4 (chat completions)"),
        ("stream", "gpt-4 (chat completions)"),
        ("request", "gpt-4 (messages)"),
        ("stream", "gpt-4 (messages)"),
        ("unknown route", None),
    ]
    assert not failed(found)
    wrong = (provider.server.received[0].header("authorization") or "").removeprefix("Bearer ")
    assert wrong != provider.key
    assert len(wrong) == 40


def test_models_that_are_named(provider: Provider) -> None:
    found = steps(provider, "--model", "model-1", "--model", "text-embedding-x", status=FAILED)
    assert found[1]["text"] == "key accepted, 1 models; not among them: text-embedding-x"
    (embedding,) = failed(found)
    assert (embedding["subject"], embedding["text"]) == ("text-embedding-x (embeddings)", "status 404: no such route")


def test_clients_addresses_are_understood(provider: Provider) -> None:
    done = call("--url", f"{provider.server.url}/v1/", "--json", key=provider.key)
    assert (done.exit_code, json.loads(done.stdout)["url"]) == (DONE, provider.server.url)


def test_a_gateway_that_takes_any_key(provider: Provider) -> None:
    provider.instead["refusal"] = answer_json(CHAT)
    (wrong,) = failed(steps(provider, status=FAILED))
    assert wrong["name"] == "wrong key"
    assert wrong["text"].startswith("not refused as a gateway does: status 200")


@pytest.mark.parametrize("refusal", [answer_json({"message": "Forbidden"}, 403), answer_bytes(b"no", 401)])
def test_something_else_than_a_gateway(provider: Provider, refusal: Any) -> None:
    provider.instead["refusal"] = refusal
    (wrong,) = failed(steps(provider, status=FAILED))
    assert "is that the address of a gateway?" in wrong["mend"]


def test_a_key_that_opens_nothing(provider: Provider) -> None:
    provider.instead["models"] = error(401, "the API key is unknown")
    models, answers = failed(steps(provider, status=FAILED))
    assert "ai-gateway keys list" in models["mend"]
    assert (answers["outcome"], answers["text"]) == ("skipped", "the key opens nothing")


def test_no_models(provider: Provider) -> None:
    provider.models = []
    (answers,) = failed(steps(provider, status=FAILED))
    assert (answers["outcome"], answers["mend"]) == ("skipped", "name one with --model")


def test_models_that_cannot_be_listed(provider: Provider) -> None:
    provider.instead["models"] = error(502, "no upstream could list its models")
    (models, *rest) = failed(steps(provider, "--model", "gpt-4", status=FAILED))
    assert (models["name"], rest) == ("models", [])


def test_an_error_is_found_in_the_logs(provider: Provider) -> None:
    provider.instead["request"] = error(502, "the gateway has no usable key", code="upstream_credentials")
    for step in failed(steps(provider, status=FAILED)):
        assert step["text"] == "status 502: the gateway has no usable key"
        assert step["mend"] == 'look in the log of the gateway\'s function for request_id = "req-1"'


def test_answers_that_are_no_gateways(provider: Provider) -> None:
    provider.instead["request"] = answer_json(CHAT)
    found = failed(steps(provider, status=FAILED))
    assert {step["text"] for step in found} >= {"the answer has no request id"}


def test_a_broken_stream(provider: Provider) -> None:
    provider.instead["stream"] = answer_stream(CHAT_EVENTS[:3], headers=[STREAM, ID])
    found = failed(steps(provider, "--model", "model-1", status=FAILED))
    # A gateway ends each stream as its format wants it, whatever its upstream does.
    assert found[0]["text"] == "the stream ended after 3 events without its terminator"


def test_an_answer_that_never_comes(provider: Provider) -> None:
    provider.instead["request"] = answer_with_silence
    found = failed(steps(provider, "--timeout", "1s", status=FAILED))
    assert [step["text"] for step in found] == ["HTTP: nothing came for 1 s"] * 2
    assert "nothing of it reached the function" in found[0]["mend"]


def test_an_unknown_route_that_is_known(provider: Provider) -> None:
    provider.instead["unknown"] = answer_json({"message": "Missing Authentication Token"}, 403)
    (unknown,) = failed(steps(provider, status=FAILED))
    assert (unknown["name"], unknown["text"]) == ("unknown route", "status 403: Missing Authentication Token")


def test_an_unknown_route_that_is_silent(provider: Provider) -> None:
    provider.instead["unknown"] = answer_with_silence
    (unknown,) = failed(steps(provider, "--timeout", "1s", status=FAILED))
    assert unknown["text"] == "HTTP: nothing came for 1 s"


def test_nobody_is_there(provider: Provider) -> None:
    with serve() as gone:
        provider.server.port = gone.port
    wrong, answers = steps(provider, status=FAILED)
    assert (wrong["outcome"], answers["outcome"]) == ("failed", "skipped")
    assert "is there a way to it" in wrong["mend"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--url", "nonsense"], "--url: base_url must be an absolute https URL"),
        (["--url", "https://me:secret@llm.example.com"], "must have no query, fragment or user information"),
        (["--url", "https://llm.example.com:http"], "must be an absolute https URL"),
        (["--url", "http://127.0.0.1:1", "--consumer", "search"], "leave out the other options"),
        (["--url", "http://127.0.0.1:1", "--local"], "leave out the other options"),
        (["--url", "http://127.0.0.1:1"], "no key was given for the gateway: set AI_GATEWAY_KEY"),
    ],
)
def test_options_that_make_no_sense(options: list[str], said: str) -> None:
    done = call(*options)
    assert (done.exit_code, said in done.stderr) == (MISTAKEN, True)
