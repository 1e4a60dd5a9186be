import pytest
from botocore.exceptions import ClientError

from gateway_cli.upstreams import store as store_module
from gateway_cli.upstreams.store import Figures
from lambda_runtime.state import operator_actions, window
from tests.gateway_cli.upstreams.conftest import NOW, Bench


def count(bench: Bench, target: str, *, failed: bool, ago: float = 0, since: float = 0) -> None:
    """What a function instance writes after an attempt."""
    bench.store.write([window.counted(target, since, failed=failed, now=NOW - ago)])


def test_what_is_written_is_read(bench: Bench) -> None:
    bench.store.write(operator_actions.open_breaker("holysheep", seconds=600, now=NOW))
    bench.store.write(operator_actions.set_weight("gpt-4#x", "holysheep/gpt-4.1", 2.5, now=NOW))
    read = bench.store.states()
    assert [(state.name, state.state, state.until) for state in read.states] == [("holysheep/*", "open", NOW + 600)]
    assert [(weight.route, weight.target, weight.weight) for weight in read.weights] == [("gpt-4#x", "holysheep/gpt-4.1", 2.5)]
    bench.now = NOW + 601
    assert bench.states() == {"holysheep/*": "closed"}


def test_the_last_minute_counts_over_every_state_of_the_breaker(bench: Bench) -> None:
    count(bench, "a/m", failed=False)
    count(bench, "a/m", failed=True, ago=49)
    count(bench, "a/m", failed=True, ago=5, since=NOW - 6.5)
    count(bench, "a/m", failed=True, ago=75)
    count(bench, "b/m", failed=False, ago=300)
    assert bench.store.figures(["a/m", "b/m", "c/m"]) == {"a/m": Figures(3, 2), "b/m": Figures(), "c/m": Figures()}
    assert bench.store.active() == {"a/m": Figures(3, 2)}


def test_a_table_larger_than_a_page(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(250):
        (update,) = operator_actions.set_weight(f"route-{index:03d}", "a/m", 1, now=NOW)
        bench.store.write([update._replace(sets={**update.sets, "note": "x" * 5000})])
    assert len(bench.store.states().weights) == 250
    # Looking through it ends somewhere.
    count(bench, "a/m", failed=False)
    monkeypatch.setattr(store_module, "MOST_PAGES", 0)
    assert bench.store.active() == {}


def test_a_table_that_is_gone(bench: Bench) -> None:
    bench.dynamodb.delete_table(TableName="table")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        bench.store.states()
