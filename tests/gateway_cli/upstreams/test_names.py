import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.upstreams.names import enumeration, parse_name, parse_target, require_known, route_of, shares
from lambda_runtime.config import Endpoint, GatewayConfig, ModelRoute, Operation, Target
from lambda_runtime.router import Candidate, Routed, in_order
from tests.gateway_cli.upstreams.conftest import configuration, upstream


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("holysheep", "holysheep"),
        ("holysheep/*", "holysheep"),
        ("holysheep/gpt-4.1", "holysheep/gpt-4.1"),
        ("bedrock/anthropic.claude:0/x#y", "bedrock/anthropic.claude:0/x#y"),
    ],
)
def test_names(given_name: str, name: str) -> None:
    assert parse_name(given_name) == name


@pytest.mark.parametrize("name", ["", "/", "holysheep/", "/gpt-4", " holysheep", "holysheep/gpt ", "a\n", "a/" + "x" * 600])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_name(name)
    assert caught.value.status == MISTAKEN


@pytest.mark.parametrize("name", ["holysheep", "holysheep/*"])
def test_what_is_no_target(name: str) -> None:
    with pytest.raises(CommandError, match="a weight is that of a target"):
        parse_target(name)


def refusal(name: str, config: GatewayConfig, *seen: str) -> str:
    with pytest.raises(CommandError) as caught:
        require_known(name, [config], seen)
    assert caught.value.status == MISTAKEN
    return str(caught.value)


def test_known_names() -> None:
    for name in ("holysheep", "openai", "holysheep/gpt-4.1", "openai/o9"):
        require_known(name, [configuration()], [])
    # Served under its own name, and known from its requests.
    require_known("openai/whisper", [configuration()], ["openai/whisper"])
    # A release knows one upstream more than the stable version.
    with_more = GatewayConfig(upstreams=(upstream("new"),))
    require_known("new", [configuration(), with_more], [])


def test_mistyped_names() -> None:
    assert refusal("holyshep", configuration()) == (
        "the gateway has no upstream 'holyshep'; did you mean 'holysheep'? (its upstreams: holysheep, openai); "
        "--force writes it all the same"
    )
    assert "has no upstream 'nothing-like-it' (its" in refusal("nothing-like-it/x", configuration())
    told = refusal("holysheep/gtp-4.1", configuration(), "holysheep/other")
    assert "no model is mapped to 'holysheep/gtp-4.1', and no request of the last minute asked holysheep for" in told
    assert "did you mean 'holysheep/gpt-4.1'? (known of holysheep: holysheep/gpt-4.1, " in told
    assert "last minute" not in refusal("holysheep/gtp-4.1", configuration(serve_unmapped_models=False))


def test_a_message_lists_so_many_names() -> None:
    names = [f"m{number}" for number in range(25)]
    assert enumeration(names[:2]) == "m0, m1"
    assert enumeration(names) == ", ".join(names[:20]) + " and 5 more"


def test_routes() -> None:
    assert route_of("gpt-4", "openai/gpt-4.1", [configuration()]).ordered[1].name == "openai/gpt-4.1"
    with pytest.raises(CommandError, match=r"the model map has no 'gpt4': .* did you mean 'gpt-4'"):
        route_of("gpt4", "openai/gpt-4.1", [configuration()])
    with pytest.raises(CommandError, match=r"'gpt-4' has no target 'openai/gpt4'; did you mean 'openai/gpt-4.1'"):
        route_of("gpt-4", "openai/gpt4", [configuration()])


OPERATIONS = upstream("u").endpoints[0]


def runtime_shares(targets: list[Target], operators: dict[str, float]) -> dict[str, float]:
    """What the runtime does with these weights, asked at each percent."""
    endpoint: Endpoint = OPERATIONS
    candidates = tuple(
        Candidate(target.name, upstream("u"), endpoint, Operation.CHAT_COMPLETIONS, target.model, target.weight)
        for target in targets
    )
    routed = Routed("m", candidates, whole=False, first_content=None)
    found = dict.fromkeys([target.name for target in targets], 0.0)
    for draw in range(100):
        chance = (draw + 0.5) / 100
        found[in_order(routed, lambda _, name: operators.get(name), chance)[0].target] += 1
    return found


WEIGHT = st.one_of(st.none(), st.integers(0, 100))


@given(st.lists(st.tuples(WEIGHT, WEIGHT), min_size=2, max_size=4))
def test_shares_are_those_of_the_runtime(weights: list[tuple[int | None, int | None]]) -> None:
    targets = [Target(f"u/{index}", weight=weight) for index, (weight, _) in enumerate(weights)]
    operators = {f"u/{index}": float(weight) for index, (_, weight) in enumerate(weights) if weight is not None}
    told = shares(targets, operators)
    assert sum(told.values()) == pytest.approx(100)
    assert told == runtime_shares(targets, operators)


def test_shares_of_a_route() -> None:
    route = ModelRoute([Target("a/m", weight=5), "b/m"])
    assert shares(route.ordered, {}) == {"a/m": 5, "b/m": 95}
    assert shares(route.ordered, {"a/m": 0}) == {"a/m": 0, "b/m": 100}
    assert shares(route.ordered, {"a/m": 60, "b/m": 60}) == {"a/m": 60, "b/m": 40}
