"""`smoke upstream` as it is typed, against servers on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway_cli.app import app
from gateway_cli.errors import FAILED, MISTAKEN
from gateway_cli.smoke.presets import PRESETS
from gateway_construct import Upstream
from tests.gateway_cli.gateways import DONE, Done
from tests.gateway_cli.smoke.conftest import CHAT_EVENTS, MESSAGE_EVENTS, STREAM, Provider, error
from tests.lambda_runtime.upstream_server import answer_bytes, answer_json, answer_stream, answer_with_silence, serve


def call(*arguments: str, key: str | None = None, environment: dict[str, str] | None = None) -> Done:
    done = CliRunner(env=environment or {}).invoke(app, ["smoke", "upstream", *arguments], input=key)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def described(provider: Provider, *options: str, wire_format: str = "openai", key: str | None = None) -> Done:
    url = provider.server.url + ("/v1" if wire_format == "openai" else "")
    arguments = ["tested", "--base-url", url, "--format", wire_format, "--model", "model-1", *options]
    done = call(*arguments, key=provider.key if key is None else key)
    assert not provider.key or provider.key not in done.stdout + done.stderr
    return done


def steps(provider: Provider, *options: str, wire_format: str = "openai", status: int = DONE) -> list[dict[str, Any]]:
    done = described(provider, *options, "--json", wire_format=wire_format)
    assert done.exit_code == status, done.stderr
    document = json.loads(done.stdout)
    assert document["passed"] is (status == DONE)
    found: list[dict[str, Any]] = document["steps"]
    return found


def outcomes(found: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(step["name"], step["outcome"]) for step in found]


PASSED = [("models", "passed"), ("request", "passed"), ("stream", "passed")]


@pytest.mark.parametrize(("wire_format", "header"), [("openai", "authorization"), ("anthropic", "x-api-key")])
def test_all_is_well(provider: Provider, wire_format: str, header: str) -> None:
    models, request, stream = steps(provider, wire_format=wire_format)
    assert outcomes([models, request, stream]) == PASSED
    assert models["text"] == "key accepted, 1 models"
    assert (request["text"], request["request_id"]) == ("12 tokens in, 1 out", "req-1")
    assert stream["text"] == f"{len(CHAT_EVENTS if wire_format == 'openai' else MESSAGE_EVENTS)} events"
    assert 0 < stream["first_token_seconds"] <= stream["seconds"]
    assert provider.key in (provider.server.last.header(header) or "")
    assert (provider.server.last.header("anthropic-version") is None) == (wire_format == "openai")
    assert [body.get("stream") for body in provider.bodies] == [None, True]
    assert all(body["max_tokens"] == 16 for body in provider.bodies)


def test_as_a_table(provider: Provider) -> None:
    done = described(provider)
    assert done.exit_code == DONE
    assert done.stdout.splitlines()[0].split() == ["step", "of", "result", "took", "first", "token", "seen"]
    assert "stream   model-1 (chat completions)  passed" in done.stdout
    assert "which are billed" in done.stderr
    assert f"Upstream tested: {provider.server.url}/v1" in done.stderr


def test_a_key_of_the_environment(provider: Provider) -> None:
    options = ["--base-url", f"{provider.server.url}/v1", "--format", "openai", "--model", "model-1"]
    done = call("my-own", *options, environment={"MY_OWN_API_KEY": f"{provider.key}\n"})
    assert (done.exit_code, "The key is that of MY_OWN_API_KEY." in done.stderr) == (DONE, True)


@pytest.mark.parametrize(
    ("key", "said"), [("", "no key was given for tested: set TESTED_API_KEY"), ("two words", "that no API key has")]
)
def test_no_key(provider: Provider, key: str, said: str) -> None:
    done = described(provider, key=key)
    assert (done.exit_code, said in done.stderr, provider.server.received) == (MISTAKEN, True, [])


def test_a_key_is_asked_for_in_a_terminal(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    def prompt(text: str, **options: Any) -> str:
        asked.append({"text": text, **options})
        return provider.key

    monkeypatch.setattr("gateway_cli.key_input.sys.stdin", Terminal())
    monkeypatch.setattr("gateway_cli.key_input.typer.prompt", prompt)
    from gateway_cli.console import Output  # noqa: PLC0415
    from gateway_cli.key_input import read_key  # noqa: PLC0415

    assert read_key("tested", Output(), variable="NOT_SET_ANYWHERE") == provider.key
    assert asked == [{"text": "Key of tested (not shown)", "hide_input": True, "err": True}]


def test_an_upstream_without_keys(provider: Provider) -> None:
    provider.key = ""
    done = described(provider, "--auth", "none", "--json", key="")
    assert done.exit_code == DONE, done.stdout
    assert provider.server.last.header("authorization") is None


def test_another_header(provider: Provider) -> None:
    provider.instead["refusal"] = answer_json({"data": []})
    described(provider, "--auth", "api-key")
    assert provider.server.received[0].header("api-key") == provider.key


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_key_that_is_refused(provider: Provider, status: int) -> None:
    provider.instead["models"] = error(status, f"the key {provider.key} is unknown")
    models, rest = steps(provider, status=FAILED)
    assert (models["outcome"], rest["outcome"]) == ("failed", "skipped")
    assert models["text"] == f"key refused: status {status}: the key [key] is unknown"
    assert models["mend"].startswith("make another key in the provider's console")
    assert len(provider.server.received) == 1, "nothing more is asked, so that nothing is paid for"


def test_geminis_way_to_refuse_a_key(provider: Provider) -> None:
    provider.instead["models"] = answer_json([{"error": {"message": "API key not valid. Please pass a valid one"}}], 400)
    assert steps(provider, status=FAILED)[0]["text"].startswith("key refused")


@pytest.mark.parametrize(
    "instead",
    [error(404, "no list"), error(403, "Missing scopes: api.model.read"), answer_bytes(b"<html>"), answer_json({"models": []})],
)
def test_an_upstream_that_lists_nothing(provider: Provider, instead: Any) -> None:
    provider.instead["models"] = instead
    assert outcomes(steps(provider)) == [("models", "skipped"), *PASSED[1:]]


def test_a_model_that_is_not_listed_is_tried(provider: Provider) -> None:
    provider.models = ["other"]
    assert steps(provider)[0]["text"] == "key accepted, 1 models; model-1 is not among them"


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (400, "is model-1 a name of tested's own?"),
        (403, "the key may not use model-1"),
        (404, "is model-1 a name of tested's own?"),
        (429, "the account has a limit or no credit"),
        (500, "look at the provider's status page"),
    ],
)
def test_an_error(provider: Provider, status: int, mend: str) -> None:
    provider.instead["request"] = provider.instead["stream"] = error(status, "out of order")
    _, request, stream = steps(provider, status=FAILED)
    for step in (request, stream):
        assert (step["outcome"], step["text"]) == ("failed", f"status {status}: out of order")
        assert mend in step["mend"]
        assert step["request_id"] == "req-1"


def test_models_that_know_another_limit(provider: Provider) -> None:
    refusal = error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    usual = provider.answer

    def answer(received: Any, connection: Any) -> None:
        (refusal if b'"max_tokens"' in received.body else usual)(received, connection)

    provider.server.answer = answer
    assert outcomes(steps(provider)) == PASSED


@pytest.mark.parametrize(
    ("chunks", "cut", "said"),
    [
        (CHAT_EVENTS[:2], True, "HTTP: the answer was cut short, after 2 events"),
        (CHAT_EVENTS[:2], False, "the stream ended after 2 events, and its answer had not"),
        (
            [*CHAT_EVENTS[:2], b'data: {"error":{"message":"overloaded"}}\n\n'],
            False,
            "the stream broke: overloaded",
        ),
    ],
)
def test_a_broken_stream(provider: Provider, chunks: list[bytes], cut: bool, said: str) -> None:
    provider.instead["stream"] = answer_stream(chunks, cut=cut, headers=[STREAM])
    *_, stream = steps(provider, status=FAILED)
    assert (stream["outcome"], stream["text"]) == ("failed", said)
    assert stream["first_token_seconds"] is not None


def test_a_stream_without_its_terminator(provider: Provider) -> None:
    provider.instead["stream"] = answer_stream(CHAT_EVENTS[:3], headers=[STREAM])
    assert steps(provider)[-1]["text"] == "3 events, no terminator"


def test_an_event_that_lacks_its_ending(provider: Provider) -> None:
    provider.instead["stream"] = answer_stream([*CHAT_EVENTS[:3], b"data: [DONE]"], headers=[STREAM])
    assert steps(provider)[-1]["text"] == "4 events"


@pytest.mark.parametrize(
    ("kind", "instead", "said"),
    [
        ("stream", answer_json({"choices": []}), "the answer is no stream, but application/json"),
        ("request", answer_bytes(b"<html>"), "the answer is not JSON"),
        ("request", answer_json({"choices": []}), "the answer is none of chat completions"),
        ("request", answer_json([]), "the answer is none of chat completions"),
        ("request", answer_bytes(b"Bad\n  gateway", 502), "status 502: Bad gateway"),
        ("request", answer_json({"error": {"message": "x" * 500}}, 500), f"status 500: {'x' * 240}…"),
        ("request", answer_json({"detail": "why"}, 500), 'status 500: {"detail": "why"}'),
        ("request", answer_json({"error": "as a text"}, 500), "status 500: as a text"),
        ("request", answer_bytes(b"", 500), "status 500"),
    ],
)
def test_other_answers(provider: Provider, kind: str, instead: Any, said: str) -> None:
    provider.instead[kind] = instead
    (found,) = [step for step in steps(provider, status=FAILED) if step["name"] == kind]
    assert (found["outcome"], found["text"]) == ("failed", said)


def test_a_silent_server(provider: Provider) -> None:
    provider.instead["stream"] = answer_with_silence
    *_, stream = steps(provider, "--timeout", "1s", status=FAILED)
    assert stream["text"] == "HTTP: nothing came for 1 s"


def test_nobody_is_there(provider: Provider) -> None:
    with serve() as gone:
        provider.server.port = gone.port
    models, rest = steps(provider, status=FAILED)
    assert (models["outcome"], rest["outcome"], "TCP: " in models["text"]) == ("failed", "skipped", True)


def test_without_a_model(provider: Provider) -> None:
    options = ["--base-url", f"{provider.server.url}/v1", "--format", "openai", "--json"]
    done = call("tested", *options, key=provider.key)
    assert done.exit_code == FAILED
    models, answers = json.loads(done.stdout)["steps"]
    assert (models["outcome"], answers["outcome"]) == ("passed", "skipped")
    assert answers["text"] == "the model map sends nothing to it; it lists model-1"
    assert "--model" in answers["mend"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--base-url", "http://127.0.0.1/v1"], "say with --format"),
        (["--base-url", "nonsense", "--format", "openai"], "base_url must be an absolute https URL"),
        (["--base-url", "http://127.0.0.1/v1", "--format", "openai", "--auth", "basic"], "--auth must be one of bearer, "),
        (["--base-url", "http://127.0.0.1/v1", "--format", "openai", "--stack", "S"], "leave out the options"),
        (["--format", "openai"], "describe the upstream at --base-url"),
        (["--timeout", "soon"], "a duration is a number and a unit"),
    ],
)
def test_options_that_make_no_sense(options: list[str], said: str) -> None:
    done = call("tested", *options)
    assert (done.exit_code, said in done.stderr) == (MISTAKEN, True)


def test_presets_are_those_of_the_construct() -> None:
    made = {name: getattr(Upstream, name)().config for name in PRESETS}
    assert {name: config.endpoints for name, config in made.items()} == {
        name: upstream.endpoints for name, upstream in PRESETS.items()
    }
