import pytest

from gateway_cli.errors import CommandError
from gateway_cli.upstreams import actions
from lambda_runtime.state import items, window
from lambda_runtime.state.breaker import Breaker
from tests.gateway_cli.upstreams.conftest import NOW, Bench, configuration


def trip(bench: Bench, name: str) -> None:
    """A breaker as function instances open it."""
    opened = Breaker(name).opened("5 failures in a row", NOW - 10, 0.0)
    assert opened
    bench.store.write([opened.update(0, NOW - 10)])


def cool(bench: Bench, name: str) -> None:
    """A target as function instances leave it alone after a 429."""
    until = {"since": NOW - 1, "until": NOW + 30.0, "expires": int(NOW + 60)}
    bench.store.write([items.Update(items.STATE_PARTITION, items.COOLING + name, until)])


def test_open_and_close_an_upstream(bench: Bench) -> None:
    told = actions.open_upstream(bench.desk(configuration()), "holysheep", seconds=None, force=False).told
    assert told[0].startswith("holysheep is open until you close it: it gets no requests.")
    assert told[1:] == ["To send to it again: ai-gateway upstreams close holysheep --stack AiGateway --profile 'two words'"]
    assert bench.states() == {"holysheep/*": "open"}
    bench.now += 1_000_000
    assert bench.states() == {"holysheep/*": "open"}
    told = actions.close_upstream(bench.desk(configuration()), "holysheep", seconds=None, force=False).told
    assert told[0] == "holysheep was open (operator)."
    assert told[1].startswith("holysheep is closed: it gets its requests again, and new failures may open it.")
    assert bench.states() == {"holysheep/*": "closed"}


def test_open_for_a_while(bench: Bench) -> None:
    told = actions.open_upstream(bench.desk(configuration()), "holysheep/gpt-4.1", seconds=600, force=False).told
    assert "is open until " in told[0]
    assert "(10 m): it gets no requests" in told[0]
    bench.now += 599
    assert bench.states() == {"holysheep/gpt-4.1": "open"}
    bench.now += 2
    assert bench.states() == {"holysheep/gpt-4.1": "closed"}


def test_close_drops_what_is_automatic_for_all_models_of_an_upstream(bench: Bench) -> None:
    trip(bench, "holysheep/gpt-4.1")
    trip(bench, "openai/gpt-4.1")
    cool(bench, "holysheep/gpt-4.1-mini")
    told = actions.close_upstream(bench.desk(configuration()), "holysheep", seconds=None, force=False).told
    assert told[:2] == ["holysheep/gpt-4.1 was open (5 failures in a row).", "holysheep/gpt-4.1-mini was cooling (429)."]
    assert {name: state for name, state in bench.states().items() if state != "closed"} == {"openai/gpt-4.1": "open"}


def test_close_what_is_closed(bench: Bench) -> None:
    told = actions.close_upstream(bench.desk(configuration()), "openai/o9", seconds=None, force=False).told
    assert told == ["openai/o9 was closed already, and is."]
    told = actions.close_upstream(bench.desk(configuration()), "openai/o9", seconds=60, force=False).told
    assert "openai/o9 is closed, and stays so until " in told[0]


def test_close_a_model_of_an_open_upstream(bench: Bench) -> None:
    actions.open_upstream(bench.desk(configuration()), "holysheep", seconds=None, force=False)
    actions.close_upstream(bench.desk(configuration()), "holysheep/gpt-4.1", seconds=None, force=False)
    assert "holysheep as a whole is open, so holysheep/gpt-4.1 gets no requests: ai-gateway upstreams close" in bench.notes


def test_models_without_a_target_are_named(bench: Bench) -> None:
    desk = bench.desk(configuration(serve_unmapped_models=False))
    actions.open_upstream(desk, "holysheep", seconds=None, force=False)
    assert bench.notes == ""
    actions.open_upstream(desk, "openai", seconds=60, force=False)
    assert bench.notes.count("refused") == 1
    assert "requests for gpt-4, small, alone are refused: every target is stopped now" in bench.notes


def test_models_that_are_not_mapped_have_no_second_target(bench: Bench) -> None:
    actions.open_upstream(bench.desk(configuration()), "holysheep/gpt-4.1", seconds=None, force=False)
    assert bench.notes == ""
    actions.open_upstream(bench.desk(configuration()), "holysheep", seconds=None, force=False)
    assert "models that are not in the model map have no second target: those that holysheep serves are" in bench.notes


def test_a_mistyped_name_changes_nothing(bench: Bench) -> None:
    for name in ("holyshep", "holysheep/gtp-4.1"):
        for action in (actions.open_upstream, actions.close_upstream):
            with pytest.raises(CommandError, match="did you mean"):
                action(bench.desk(configuration()), name, seconds=None, force=False)
    assert bench.states() == {}
    actions.open_upstream(bench.desk(configuration()), "holyshep", seconds=None, force=True)
    # What stands in the table can be closed, however it came there.
    actions.close_upstream(bench.desk(configuration()), "holyshep", seconds=None, force=False)
    assert bench.states() == {"holyshep/*": "closed"}


def test_a_model_that_is_asked_for_under_its_own_name(bench: Bench) -> None:
    with pytest.raises(CommandError, match="no request of the last minute asked openai for 'whisper'"):
        actions.open_upstream(bench.desk(configuration()), "openai/whisper", seconds=None, force=False)
    bench.store.write([window.counted("openai/whisper", 0, failed=True, now=NOW)])
    actions.open_upstream(bench.desk(configuration()), "openai/whisper", seconds=None, force=False)
    assert bench.states() == {"openai/whisper": "open"}
    with pytest.raises(CommandError, match="no model is mapped to 'openai/tts'"):
        actions.open_upstream(bench.desk(configuration(serve_unmapped_models=False)), "openai/tts", seconds=None, force=False)


def test_where_the_configuration_is_not_known_the_table_is_asked(bench: Bench) -> None:
    bench.store.write([window.counted("openai/whisper", 0, failed=False, now=NOW)])
    for name in ("openai", "openai/whisper"):
        actions.open_upstream(bench.desk(), name, seconds=60, force=False)
    assert bench.notes == ""
    actions.open_upstream(bench.desk(), "opnai", seconds=60, force=False)
    assert "nothing in the table is called 'opnai'" in bench.notes
    assert bench.states()["opnai/*"] == "open"


def test_weights(bench: Bench) -> None:
    desk = bench.desk(configuration())
    told = actions.set_weight(desk, "gpt-4", "holysheep/gpt-4.1", 0.0, force=False).told
    assert told == [
        "holysheep/gpt-4.1 has a weight of 0 % in gpt-4. Every function instance follows within two seconds.",
        "Requests for gpt-4: holysheep/gpt-4.1 0 %, openai/gpt-4.1 100 %",
    ]
    assert [(weight.target, weight.weight) for weight in bench.store.states().weights] == [("holysheep/gpt-4.1", 0.0)]
    told = actions.reset_weight(desk, "gpt-4", "holysheep/gpt-4.1", force=False).told
    assert told[1] == "Requests for gpt-4: holysheep/gpt-4.1 5 %, openai/gpt-4.1 95 %"
    assert bench.store.states().weights == []
    told = actions.reset_weight(desk, "gpt-4", "holysheep/gpt-4.1", force=False).told
    assert told[0] == "No weight was set for holysheep/gpt-4.1 in gpt-4."
    assert bench.notes == ""


def test_weights_that_do_less_than_they_seem_to(bench: Bench) -> None:
    desk = bench.desk(configuration())
    actions.set_weight(desk, "small", "holysheep/gpt-4.1-mini", 70.0, force=False)
    assert bench.notes == ""
    actions.set_weight(desk, "small", "openai/gpt-4.1-mini", 70.0, force=False)
    assert "the weights of 'small' are more than 100 together" in bench.notes
    actions.set_weight(desk, "alone", "openai/o9", 10.0, force=False)
    assert "'alone' has no other target" in bench.notes


def test_weights_of_what_is_not_in_the_model_map(bench: Bench) -> None:
    desk = bench.desk(configuration())
    for model, target in (("gpt4", "holysheep/gpt-4.1"), ("gpt-4", "openai/gpt4.1")):
        with pytest.raises(CommandError, match="did you mean"):
            actions.set_weight(desk, model, target, 5.0, force=False)
        with pytest.raises(CommandError, match="did you mean"):
            actions.reset_weight(desk, model, target, force=False)
    assert bench.store.states().weights == []
    assert len(actions.set_weight(desk, "gone", "openai/x", 5.0, force=True).told) == 1
    assert actions.reset_weight(desk, "gone", "openai/x", force=False).told[0].startswith("openai/x has its configured weight")
    assert bench.store.states().weights == []
    # Without a configuration there is nothing to check against.
    assert len(actions.set_weight(bench.desk(), "anything", "openai/x", 5.0, force=False).told) == 1
