"""Names of models that clients made up, and an upstream answers with failures: they do not fill the table."""

from __future__ import annotations

import pytest

from lambda_runtime.state import made_up_names
from lambda_runtime.state.made_up_names import MOST_FAILING, MadeUpNames
from lambda_runtime.state.outcome import Attempted, Outcome
from tests.lambda_runtime.gateway_kit import both_formats, event, gateway_over
from tests.lambda_runtime.samples import CHAT
from tests.lambda_runtime.state.table_kit import Instance, Table
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

FAILURES = (Outcome.FAILURE, Outcome.RATE_LIMITED)


@pytest.fixture
def full() -> MadeUpNames:
    """No further name that fails has a state."""
    names = MadeUpNames(["main/mapped"])
    for number in range(MOST_FAILING):
        assert names.believed(Attempted(f"main/{number}", FAILURES[number % 2]))
    return names


def test_names_that_only_fail_get_so_many_states_and_no_more(
    table: Table, instance: Instance, server: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_up_names, "MOST_FAILING", 3)
    server.answer = answer_json({"error": {"message": "slow down"}}, 429)
    with gateway_over(both_formats("main", server.url), models={"gpt-4": ["main/mapped"]}, states=instance) as kit:
        for model in (*(f"made-up-{number}" for number in range(6)), "gpt-4"):
            kit.call(event(CHAT, {"model": model}))
    cooling = [sort_key.removeprefix("cooling#main/") for sort_key in table.items("state") if sort_key.startswith("cooling#")]
    assert cooling == ["made-up-0", "made-up-1", "made-up-2", "mapped"]


@pytest.mark.parametrize("outcome", FAILURES)
def test_whose_states_go_on(full: MadeUpNames, outcome: Outcome) -> None:
    assert not full.believed(Attempted("main/new", outcome))
    # Those of the map, those that are known, probes, and what is about the whole upstream.
    assert full.believed(Attempted("main/mapped", outcome))
    assert full.believed(Attempted("main/1", outcome))
    assert full.believed(Attempted("main/new", outcome, probe=True))
    assert full.believed(Attempted("main/new", Outcome.KEY_REFUSED))
    # And models that have answered once: there are such.
    assert full.believed(Attempted("main/new", Outcome.SUCCESS))
    assert full.believed(Attempted("main/new", outcome))


def test_who_succeeds_makes_room(full: MadeUpNames) -> None:
    assert full.believed(Attempted("main/1", Outcome.SUCCESS))
    assert full.believed(Attempted("main/next", Outcome.FAILURE))
    assert not full.believed(Attempted("main/last", Outcome.FAILURE))


def test_it_remembers_only_so_many(full: MadeUpNames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made_up_names, "MOST_PROVEN", 2)
    for name in ("a", "b", "a", "c"):
        assert full.believed(Attempted(f"main/{name}", Outcome.SUCCESS))
    believed = [name for name in "abc" if full.believed(Attempted(f"main/{name}", Outcome.FAILURE))]
    assert believed == ["a", "c"]


def test_a_request_that_says_nothing_takes_no_room() -> None:
    names = MadeUpNames(())
    for number in range(2 * MOST_FAILING):
        assert names.believed(Attempted(f"main/{number}", Outcome.IGNORED))
