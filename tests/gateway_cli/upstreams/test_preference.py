import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_cli.errors import CommandError
from gateway_cli.upstreams import actions, preference
from gateway_cli.upstreams.done import done_json
from lambda_runtime.config import GatewayConfig, ModelRoute, Target
from lambda_runtime.router import _first
from tests.gateway_cli.upstreams.conftest import Bench, configuration, upstream

SOON = "Every function instance follows within two seconds."
AGAIN = "ai-gateway upstreams prefer --reset --stack AiGateway --profile 'two words'"


def weights(bench: Bench) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for weight in bench.store.states().weights:
        found.setdefault(weight.route, {})[weight.target] = weight.weight
    return found


def config(**routes: list[Target | str]) -> GatewayConfig:
    names = ("holysheep", "openai", "anthropic")
    models = {model: ModelRoute(targets) for model, targets in routes.items()}
    return GatewayConfig(upstreams=tuple(map(upstream, names)), models=models, serve_unmapped_models=False)


def test_everything_goes_to_one_upstream_and_back(bench: Bench) -> None:
    desk = bench.desk(configuration())
    told = preference.prefer(desk, "openai").told
    assert weights(bench) == {
        "gpt-4": {"openai/gpt-4.1": 100, "holysheep/gpt-4.1": 0},
        "small": {"openai/gpt-4.1-mini": 100, "holysheep/gpt-4.1-mini": 0},
    }
    assert told == [
        "Requests for gpt-4: openai/gpt-4.1 100 %, holysheep/gpt-4.1 0 %",
        "Requests for small: openai/gpt-4.1-mini 100 %, holysheep/gpt-4.1-mini 0 %",
        f"Requests for these models ask openai first, and the others only if it fails. {SOON}",
        "Requests for alone ask openai anyway, which is the only target.",
        f"This holds over deployments, too. To let the configured weights count again: {AGAIN}",
    ]
    assert "models that are not in the model map have no weights, and go where they went" in bench.notes
    assert "not moved" not in bench.notes
    # To the other one, without a step between.
    preference.prefer(desk, "holysheep")
    assert weights(bench)["gpt-4"] == {"openai/gpt-4.1": 0, "holysheep/gpt-4.1": 100}
    assert "without a target at holysheep, and therefore not moved: alone" in bench.notes
    told = preference.reset(desk, None).told
    assert weights(bench) == {}
    assert told == [
        "Requests for gpt-4: holysheep/gpt-4.1 5 %, openai/gpt-4.1 95 %",
        "Requests for small: holysheep/gpt-4.1-mini 100 %, openai/gpt-4.1-mini 0 %",
        f"The configured weights of gpt-4, small count again. {SOON}",
    ]
    assert preference.reset(desk, None).told == ["No weight was set: the configured ones count already."]


def test_what_was_done_for_scripts(bench: Bench) -> None:
    desk = bench.desk(configuration())
    document = done_json(desk.table, preference.prefer(desk, "holysheep"))
    weights_written = [(one["model"], one["target"], one["operator"]) for one in document["weights"]]
    assert weights_written == [
        ("gpt-4", "holysheep/gpt-4.1", 100),
        ("gpt-4", "openai/gpt-4.1", 0),
        ("small", "holysheep/gpt-4.1-mini", 100),
        ("small", "openai/gpt-4.1-mini", 0),
    ]
    assert (document["changed"], document["unmoved"]) == (True, ["alone"])
    document = done_json(desk.table, preference.reset(desk, None))
    assert {one["operator"] for one in document["weights"]} == {None}
    assert [(one["target"], one["share"]) for one in document["shares"] if one["model"] == "gpt-4"] == [
        ("holysheep/gpt-4.1", 5),
        ("openai/gpt-4.1", 95),
    ]
    document = done_json(desk.table, actions.set_weight(desk, "small", "openai/gpt-4.1-mini", 30, force=False))
    assert document["weights"] == [{"model": "small", "target": "openai/gpt-4.1-mini", "operator": 30}]
    assert [one["share"] for one in document["shares"]] == [70, 30]


def test_several_targets_of_an_upstream_share_as_configured(bench: Bench) -> None:
    desk = bench.desk(
        config(
            weighted=[Target("holysheep/a", weight=5), Target("holysheep/b", weight=15), "openai/a"],
            rest=["openai/a", "holysheep/a", "holysheep/b"],
            none=[Target("holysheep/a", weight=0), Target("holysheep/b", weight=0), "openai/a"],
            takes_the_rest=[Target("openai/a", weight=90), Target("holysheep/a", weight=4), "holysheep/b"],
        )
    )
    preference.prefer(desk, "holysheep")
    found = weights(bench)
    assert found["weighted"] == {"holysheep/a": 25, "holysheep/b": 75, "openai/a": 0}
    assert found["rest"] == found["none"] == {"holysheep/a": 100, "holysheep/b": 0, "openai/a": 0}
    assert found["takes_the_rest"] == pytest.approx({"holysheep/a": 40, "holysheep/b": 60, "openai/a": 0})
    assert all(sum(route.values()) == pytest.approx(100) for route in found.values())


def test_both_versions_of_a_release_follow(bench: Bench) -> None:
    main = config(chat=["openai/old", "holysheep/old"], only_main=["openai/a"], both=["openai/a", "holysheep/a"])
    canary = config(
        chat=["openai/new", "holysheep/new"], only_canary=["openai/b", "holysheep/b"], both=["anthropic/a", "holysheep/a"]
    )
    preference.prefer(bench.desk(main, canary), "holysheep")
    assert weights(bench) == {
        "chat": {"holysheep/old": 100, "holysheep/new": 100, "openai/old": 0, "openai/new": 0},
        "both": {"holysheep/a": 100, "openai/a": 0, "anthropic/a": 0},
        "only_canary": {"holysheep/b": 100, "openai/b": 0},
    }
    assert "not moved: only_main" in bench.notes
    # What has no share in the one may be all that the other has there.
    preference.reset(bench.desk(main), None)
    main, canary = config(chat=["openai/a", "holysheep/a", "holysheep/b"]), config(chat=["openai/a", "holysheep/b"])
    preference.prefer(bench.desk(main, canary), "holysheep")
    assert weights(bench) == {"chat": {"holysheep/a": 100, "holysheep/b": 100, "openai/a": 0}}


def test_reset_for_models_of_one_upstream(bench: Bench) -> None:
    desk = bench.desk(config(one=["openai/a", "holysheep/a"], two=["openai/a", "anthropic/a"]))
    preference.prefer(desk, "openai")
    preference.reset(desk, "holysheep")
    assert set(weights(bench)) == {"two"}
    told = preference.reset(desk, "holysheep").told
    assert told == ["No weight of a model with a target at holysheep was set: the configured ones count already."]


def test_what_is_not_in_the_model_map_any_more_is_reset_too(bench: Bench) -> None:
    actions.set_weight(bench.desk(), "gone", "openai/a", 5.0, force=True)
    told = preference.reset(bench.desk(), None).told
    assert told == [f"The configured weights of gone count again. {SOON}"]
    assert weights(bench) == {}


def test_an_upstream_that_gets_no_requests(bench: Bench) -> None:
    desk = bench.desk(configuration())
    actions.open_upstream(desk, "openai", seconds=60, force=False)
    preference.prefer(desk, "openai")
    assert (
        "openai is open by an operator, and gets no requests as long as it is: ai-gateway upstreams close openai" in bench.notes
    )


def test_what_cannot_be_preferred(bench: Bench) -> None:
    for name, told in (
        ("opnai", "no upstream 'opnai'; did you mean 'openai'"),
        ("openai/gpt-4.1", "ai-gateway upstreams weight"),
    ):
        with pytest.raises(CommandError, match=told):
            preference.prefer(bench.desk(configuration()), name)
    with pytest.raises(CommandError, match="no model of the model map has a target at 'anthropic'"):
        preference.prefer(bench.desk(config(one=["openai/a"])), "anthropic")
    for call in (preference.prefer, preference.reset):
        with pytest.raises(CommandError, match="without the model map it is not known"):
            call(bench.desk(), "openai")
    assert weights(bench) == {}


@st.composite
def routes(draw: st.DrawFn) -> list[Target]:
    """Targets of a route, of which some have a weight."""
    names = st.sampled_from([f"{name}/{model}" for name in ("holysheep", "openai", "anthropic") for model in "abc"])
    found, left = [], 100.0
    for name in draw(st.lists(names, min_size=1, max_size=6, unique=True)):
        weight = draw(st.none() | st.floats(0, left))
        left -= weight or 0.0
        found.append(Target(name, weight=weight))
    if all(target.weight is not None for target in found):
        found[-1] = Target(found[-1].name)
    return found


@given(versions=st.lists(routes(), min_size=1, max_size=2), draw=st.floats(0, 100, exclude_max=True))
def test_function_instances_of_both_versions_ask_it_first(versions: list[list[Target]], draw: float) -> None:
    found = preference._preference([config(chat=list(route)) for route in versions], "openai")
    for route in versions:
        own = [target for target in route if target.upstream == "openai"]
        if own and found.weights:
            first = _first([found.weights["chat"][target.name] for target in route], draw)
            assert route[first].upstream == "openai"
    assert ("chat" in found.elsewhere) is all(target.upstream != "openai" for route in versions for target in route)
