"""Staging the next key, and taking it away."""

import json

import pytest

from gateway_cli.errors import FAILED, MISTAKEN
from lambda_runtime.config.secrets import STAGED_LABEL, RotationKind
from tests.gateway_cli.credentials.bench import DAY, PLACEHOLDER, Bench
from tests.gateway_cli.credentials.conftest import CURRENT, upstream

NEXT, OTHER = "key-to-come-0002", "key-to-come-0003"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_next_key_is_put_beside_the_current_one(bench: Bench, end: str) -> None:
    done = bench.call("stage", "rotating", key=NEXT + end)
    assert "The next key of rotating is staged. Nothing uses it yet." in done.stdout
    assert "becomes the current one by " in done.stdout
    assert "in 9 d at the latest" in done.stdout or "in 10 d at the latest" in done.stdout
    assert "To do it now: ai-gateway credentials rotate rotating\n" in done.stdout
    assert (bench.value("rotating"), bench.value("rotating", STAGED_LABEL)) == (CURRENT, NEXT)
    assert bench.labels("rotating") == [STAGED_LABEL, "AWSCURRENT"]


def test_it_takes_the_place_of_another_one(bench: Bench) -> None:
    bench.call("stage", "rotating", key=NEXT)
    bench.now += 2 * DAY
    assert "in place of the one that was staged 2 d ago" in bench.call("stage", "rotating", key=OTHER).stdout
    assert bench.value("rotating", STAGED_LABEL) == OTHER
    assert bench.labels("rotating") == [STAGED_LABEL, "AWSCURRENT"]
    document = json.loads(bench.call("stage", "rotating", "--json", key=OTHER).stdout)
    assert (document["changed"], document["upstream"]) == (False, "rotating")
    assert "is staged for rotating already, since" in bench.call("stage", "rotating", key=OTHER).stdout
    document = json.loads(bench.call("stage", "rotating", "--json", key=NEXT).stdout)
    assert document["changed"]
    assert document["staged"]


def test_an_object_keeps_its_other_fields(bench: Bench) -> None:
    found = upstream("object", bench.url, secret_field="token")
    bench.rotate_by(found, bench.add(found, '{"team": "search", "token": "key-now-0001"}'))
    bench.call("stage", "object", key=NEXT)
    assert json.loads(bench.value("object", STAGED_LABEL) or "") == {"team": "search", "token": NEXT}


def test_a_placeholder_is_no_hindrance(bench: Bench) -> None:
    found = upstream("fresh", bench.url)
    bench.rotate_by(found, bench.add(found, PLACEHOLDER))
    bench.call("stage", "fresh", key=NEXT)
    assert json.loads(bench.value("fresh", STAGED_LABEL) or "") == {"apiKey": NEXT}
    assert "that is the placeholder" in bench.call("stage", "fresh", key="s0mething-rand0m", status=FAILED).stderr


@pytest.mark.parametrize(
    ("key", "why", "status"),
    [
        (CURRENT, "that is the key that rotating has already", FAILED),
        ("", "no key was given", MISTAKEN),
        ("two words", "characters that no API key has", MISTAKEN),
        (f"{NEXT}\n\n", "begins or ends with spaces or line ends", MISTAKEN),
        (json.dumps({"apiKey": NEXT}), "give the key alone", MISTAKEN),
    ],
)
def test_what_is_not_staged(bench: Bench, key: str, why: str, status: int) -> None:
    assert why in bench.call("stage", "rotating", key=key, status=status).stderr
    assert bench.labels("rotating") == ["AWSCURRENT"]


def test_a_key_among_the_arguments_is_refused_before_anything_else(bench: Bench) -> None:
    bench.secret_words.append("sk-live-key")
    bench.refused["GetRestApis"] = ("InternalFailure", "was asked")
    for command in ("stage", "set"):
        for words in (["rotating", "sk-live-key"], ["rotating", "sk-live-key", "--json"], ["rotating", "--", "-sk-live-key"]):
            error = bench.call(command, *words, status=MISTAKEN).stderr
            assert f"pipe it in: ai-gateway credentials {command} rotating < file-with-the-key" in error
            assert "make another one at the provider" in error


def test_nobody_would_take_it(bench: Bench) -> None:
    error = bench.call("stage", "plain", key=NEXT, status=FAILED).stderr
    assert "the key of plain is not rotated, so that nobody would take what is staged" in error
    assert "ai-gateway credentials set plain" in error
    assert "rotation=Rotation.staged()" in error
    bench.fake("rotating").rotation_enabled = False
    error = bench.call("stage", "rotating", key=NEXT, status=FAILED).stderr
    assert "is switched off at Secrets Manager" in error
    bench.fake("rotating").rotation_enabled = True
    bench.rotated.clear()
    error = bench.call("stage", "rotating", key=NEXT, status=FAILED).stderr
    assert "is rotated by arn:aws:lambda:us-east-1:123456789012:function:rotation-function, not by the gateway" in error


def test_a_local_gateway_may_have_left_its_rotation_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("stage", "rotate"):
        assert "openai_admin" not in bench.call(command, "plain", status=FAILED).stderr
    monkeypatch.setattr("gateway_cli.credentials.rotations._is_embedded", lambda *_: True)
    for command in ("stage", "rotate"):
        error = bench.call(command, "plain", status=FAILED).stderr
        assert "If the app gives the upstream Rotation.openai_admin(), that is left out in this local gateway" in error
        assert "it mints keys in AWS, and there is nothing to stage" in error


def test_the_provider_mints_it(bench: Bench) -> None:
    found = upstream("minted", bench.url)
    bench.rotate_by(found, bench.add(found, "key-minted-0001"), RotationKind.OPENAI_ADMIN, project="proj_1")
    error = bench.call("stage", "minted", key=NEXT, status=FAILED).stderr
    assert "the next key of minted is minted at the provider" in error
    assert "ai-gateway credentials rotate minted" in error


def test_there_is_nothing_to_put_it_beside(bench: Bench) -> None:
    found = upstream("empty", bench.url)
    bench.rotate_by(found, bench.add(found, None))
    error = bench.call("stage", "empty", key=NEXT, status=FAILED).stderr
    assert "empty has no current key to stage another one beside; set the first one: ai-gateway credentials set empty" in error


def test_when_it_is_taken(bench: Bench) -> None:
    fake = bench.fake("rotating")
    fake.next_rotation_date = int(bench.now - 60)
    assert ", which is over. To do it now" in bench.call("stage", "rotating", key=NEXT).stdout
    fake.next_rotation_date = None
    assert "Secrets Manager does not tell" in bench.call("stage", "rotating", key=OTHER).stdout


def test_unstage(bench: Bench) -> None:
    assert "Nothing is staged for rotating." in bench.call("unstage", "rotating").stdout
    bench.call("stage", "rotating", key=NEXT)
    assert "Nothing is staged for rotating any more" in bench.call("unstage", "rotating").stdout
    assert bench.labels("rotating") == ["AWSCURRENT"]
    assert not json.loads(bench.call("unstage", "rotating", "--json").stdout)["changed"]
