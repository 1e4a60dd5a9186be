"""The command as it is typed."""

import io
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from gateway_cli.app import app
from gateway_cli.errors import FAILED, MISTAKEN
from gateway_cli.estimate.models import parse_models
from gateway_cli.estimate.options import CAPACITY, DEPLOYMENT, TRAFFIC, capacity_of, deployment_of, shown_options, traffic_of
from gateway_cli.estimate.published import check
from gateway_cli.estimate.rendering import print_estimate
from gateway_cli.estimate.report import Asked, estimate, gateway_cost
from gateway_cli.smoke.presets import PRESETS
from gateway_prices.metrics import metric_count
from gateway_prices.traffic import Deployment, Traffic
from lambda_runtime.config import GatewayConfig
from tests.gateway_cli.gateways import DONE, call

ASKED = Asked(traffic=Traffic(), deployment=Deployment(), models=parse_models((), (), Traffic()))


def document(*arguments: str) -> dict[str, Any]:
    done = call("estimate", *arguments, "--json")
    assert done.exit_code == DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def parameters() -> dict[str, Any]:
    command = typer.main.get_command(app)
    return {option: one for one in command.commands["estimate"].params for option in one.opts}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stream-share", "1.5"], "--stream-share"),
        (["--memory", "64"], "--memory"),
        (["--requests-per-day", "-1"], "'--requests-per-day': a number from 0 to 1,000,000,000 is wanted, got -1.0"),
        (["--requests-per-day", "nan"], "'--requests-per-day': a number from 0 to 1,000,000,000 is wanted, got nan"),
        (["--requests-per-day", "inf"], "a number from 0 to 1,000,000,000 is wanted, got inf"),
        (["--input-tokens", "1e300"], "'--input-tokens': a number from 0 to 10,000,000 is wanted, got 1e+300"),
        (["--output-tokens", "1e308"], "'--output-tokens': a number from 0 to 10,000,000"),
        (["--log-bytes", "1e308"], "'--log-bytes': a number from 0 to 1,000,000 is wanted"),
        (["--init-seconds", "1e308"], "'--init-seconds': a number from 0 to 60 is wanted"),
        (["--secrets", "9999999999999999999999"], "'--secrets': a number from 0 to 100,000 is wanted"),
        (["--today-infrastructure", "1e10"], "'--today-infrastructure': a number from 0 to 1,000,000,000 is wanted"),
        (
            ["--cached-share", "0.6", "--cache-write-share", "0.6"],
            "--cached-share 0.6 and --cache-write-share 0.6 are more than",
        ),
        (["--architecture", "mips"], "--architecture"),
        (["--price", "2,8"], "--price: a price is USD per million tokens of input and output, as in in=2,out=8"),
        (["--price", "in=2"], "got 'in=2'"),
        (["--price", "in=2,out=-8"], "got 'in=2,out=-8'"),
        (["--price", "in=2,out=nan"], "got 'in=2,out=nan'"),
        (["--price", "in=2,out=8,up=1"], "got 'in=2,out=8,up=1'"),
        (["--price", "in=2,in=3,out=8"], "each of them once; got 'in=2,in=3,out=8'"),
        (
            ["--price", "a/b:in=2,out=8", "--price", "a/b:in=3,out=8"],
            "'a/b' has a price already; got 'a/b:in=3,out=8', leave one of the two out",
        ),
        (["--price", "in=2,out=8", "--price", "in=3,out=8"], "all models have a price already; got 'in=3,out=8'"),
        (["--price", "a/b:in=2,out=8", "--price", "in=3,out=8"], "the one without a name is nobody's; leave it out, or name"),
        (
            ["--cached-share", "0.8", "--today-model-price", "in=2,out=8"],
            "--today-model-price: --cached-share is 0.8, and what that costs is not said; say cached=USD, or cached=2 if",
        ),
        (["--cached-share", "0.8", "--price", "in=2,out=8"], "--price: --cached-share is 0.8, and what that costs is not said"),
        (["--cache-write-share", "0.1", "--price", "in=2,out=8"], "say write=USD, or write=2 if it costs as much as other"),
        (["--today-model-price", "15"], "--today-model-price: a price is"),
        (["--today-model-price", ""], "--today-model-price: a price is"),
        (
            ["--model", "openai/gpt-4.1", "--price", "a/b:in=2,out=8"],
            "'a/b' is none of the models; name it with --model a/b",
        ),
        (["--model", "gpt-4.1"], "name upstream and model, as in openai/gpt-4.1; got 'gpt-4.1'"),
        (["--model", "nobody/gpt-4.1"], "the upstream 'nobody' is not known; known are holysheep, openai"),
        (
            ["--model", "holysheep/gpt-4.1"],
            "no price for 'holysheep/gpt-4.1'; say what it costs, with --price holysheep/gpt-4.1:in=2",
        ),
        (["--model", "openai/gpt-4.1=0.5"], "the shares must add up to 1, got 0.5"),
        (["--model", "openai/gpt-4.1=2"], "a share is a number from 0 to 1"),
        (["--model", "openai/gpt-4.1=x"], "a share is a number from 0 to 1, as in openai/gpt-4.1=0.7; got 'openai/gpt-4.1=x'"),
        (["--model", "openai/gpt-4.1=1", "--model", "openai/o1"], "'openai/o1' has no share, as the others have"),
        (["--model", "openai/gpt-4.1", "--model", "openai/gpt-4.1"], "'openai/gpt-4.1' is given twice"),
        (["--picture", "costs.png"], "--picture: it is an SVG, got 'costs.png'; name it costs.svg"),
        (["--gateway", "A"], "--gateway names a gateway of an assembly"),
        (["--assembly", "nowhere"], "no cloud assembly at 'nowhere'; run 'cdk synth' first"),
        (["--example", "published-comparison", "--memory", "128"], "--memory: --example has figures of its own"),
    ],
)
def test_a_mistake_names_option_value_and_way_out(arguments: list[str], said: str) -> None:
    done = call("estimate", *arguments)
    assert done.exit_code == MISTAKEN
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())
    assert done.stdout == ""


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = call("estimate", "--picture", str(tmp_path / "nowhere" / "x.svg"))
    assert done.exit_code == FAILED
    assert "cannot be written (No such file or directory); name a file in a directory that is there" in done.stderr


def test_the_defaults_are_what_the_help_says() -> None:
    texts = {option: re.search(r"Default: (.+?)\.$", one.help or "") for option, one in parameters().items()}
    for made, options in ((traffic_of({}), TRAFFIC), (deployment_of({}, None), DEPLOYMENT), (capacity_of({}), CAPACITY)):
        assert {field.name for field in fields(made)} == options.keys()
        for name, (option, _) in options.items():
            value, found = getattr(made, name), texts[option]
            assert found, option
            said = found[1]
            if isinstance(value, bool):
                assert said == ("it has" if value else "they have none"), option
            else:
                shown = f"{value:,.10g}" if isinstance(value, int | float) else value
                assert re.split(r", ", said)[0] == shown or said == shown, option


def test_json_has_every_figure_and_calls_it_an_estimate() -> None:
    found = document(
        "--requests-per-day", "1000", "--model", "openai/gpt-4.1=0.5", "--model", "anthropic/claude-sonnet-4-5=0.5"
    )
    assert found["estimate"] is True
    assert set(found) == {
        "estimate", "currency", "region", "prices", "gateway", "inputs", "assumed", "aws", "inference", "total", "savings",
        "concurrency", "quotas", "containers",
    }  # fmt: skip
    assert found["inputs"]["requests_per_day"] == 1_000
    assert "--requests-per-day" not in found["assumed"]
    assert "--memory" in found["assumed"]
    lines = found["aws"]["lines"]
    assert [line["name"] for line in lines] == [
        "api_gateway", "lambda_requests", "lambda_duration", "lambda_starts", "lambda_streaming", "authorizer_requests",
        "authorizer_duration", "table_writes", "table_reads", "secrets", "secret_calls", "logs", "metrics", "alarms",
        "dashboard", "waf", "data_transfer",
    ]  # fmt: skip
    assert sum(line["estimated_usd_month"] for line in lines) == pytest.approx(found["aws"]["estimated_usd_month"], abs=0.001)
    both = found["aws"]["estimated_usd_month"] + found["inference"]["estimated_usd_month"]
    assert found["total"]["estimated_usd_month"] == pytest.approx(both, abs=0.001)
    # Money is called an estimate where it stands, but for what the user has said.
    money = {key for key in re.findall(r'"(\w*usd\w*)"', json.dumps(found)) if not key.startswith("estimated_")}
    assert money == {"today_infrastructure_usd_month"}
    assert all(quota["estimate"] for quota in found["quotas"])


def test_options_change_what_they_say() -> None:
    """Each option moves the figure that it is about."""
    usual = document()
    for arguments, path in [
        (("--memory", "512"), ("aws", "estimated_usd_month")),
        (("--architecture", "x86_64"), ("aws", "estimated_usd_month")),
        (("--no-table",), ("aws", "estimated_usd_month")),
        (("--budgets",), ("aws", "estimated_usd_month")),
        (("--waf-rules", "3"), ("aws", "estimated_idle_usd_month")),
        (("--cached-share", "0.5"), ("inference", "estimated_usd_month")),
        (("--secrets", "3"), ("aws", "estimated_idle_usd_month")),
        (("--secrets-read", "3"), ("aws", "estimated_usd_month")),
        (("--largest-consumer", "0.1", "--requests-per-day", "20000000"), ("quotas",)),
        (("--after-seconds", "1"), ("aws", "estimated_usd_month")),
        (("--authorizer-seconds", "1"), ("aws", "estimated_usd_month")),
        (("--price", "in=1,out=1"), ("inference", "estimated_usd_month")),
        (("--peak-factor", "9"), ("concurrency", "p99")),
        (("--today-infrastructure", "500"), ("savings",)),
        (("--requests-per-day", "0"), ("total", "estimated_usd_month")),
    ]:
        changed, before = document(*arguments), usual
        for key in path:
            changed, before = changed[key], before[key]
        assert changed != before, arguments
    busy = ("--requests-per-day", "10000000")
    few, many = (document(*busy, option, "1") for option in ("--task-requests", "--task-events"))
    tasks = document(*busy)["containers"][0]["estimated_tasks"]
    assert few["containers"][0]["estimated_tasks"] > tasks < many["containers"][0]["estimated_tasks"]


def test_a_typed_price_of_today_is_compared_on_the_same_terms() -> None:
    """At the list's own price, typed, nothing is saved on tokens, whatever part of them a cache holds."""
    found = document("--cached-share", "0.8", "--today-model-price", "in=2,out=8,cached=0.5")
    today = found["savings"]["today"]
    assert today["estimated_inference_usd_month"] == pytest.approx(found["inference"]["estimated_usd_month"])


def test_what_is_fixed_is_not_in_what_a_million_more_requests_cost() -> None:
    few, many = document("--requests-per-day", "10000"), document("--requests-per-day", "100000")
    requests = (100_000 - 10_000) * 365 / 12
    step = many["aws"]["estimated_usd_month"] - few["aws"]["estimated_usd_month"]
    assert few["aws"]["estimated_usd_next_million_requests"] == pytest.approx(step / requests * 1e6, rel=1e-3)
    assert few["aws"]["estimated_fixed_usd_month"] == pytest.approx(3.40 + 23 * 0.30)
    # With hardly a request, what the first ones cost in metrics is not taken for a price of millions.
    idle = document("--requests-per-day", "0")["aws"]["estimated_usd_next_million_requests"]
    assert idle == pytest.approx(few["aws"]["estimated_usd_next_million_requests"], rel=1e-3)


def test_the_price_that_is_shown_is_the_one_that_is_charged() -> None:
    arguments = ("--model", "anthropic/claude-sonnet-4-5", "--input-tokens", "300000", "--cached-share", "0.5")
    (model,) = document(*arguments, "--cache-write-share", "0.25")["inference"]["models"]
    assert model["price"]["input"] == 3
    applied = model["applied_price"]
    assert applied == {"input": 6, "output": 22.5, "cached_input": 0.6, "cache_write": 7.5, "above_input_tokens": 200_000}
    of_input = 0.25 * 6 + 0.5 * 0.6 + 0.25 * 7.5
    expected = (model["input_tokens_month"] * of_input + model["output_tokens_month"] * 22.5) / 1e6
    assert model["estimated_usd_month"] == pytest.approx(expected)
    text = call("estimate", *arguments).stdout
    assert re.search(r"anthropic/claude-sonnet-4-5 \(.*, above 200,000\) +100.0 % +\$6.00 +\$0.60 +\$22.50", text)
    assert "cached" in text.partition("Tokens, a month")[2].splitlines()[1]


def test_what_most_of_the_bill_rests_on_is_among_the_assumed() -> None:
    assert {"--model", "--after-seconds", "--authorizer-seconds"} <= set(document()["assumed"])
    assert "Assumed  model openai/gpt-4.1 (--model); " in call("estimate").stdout
    assert "--model" not in document("--price", "in=1,out=1")["assumed"]


def test_models_with_a_price_name_themselves() -> None:
    found = document("--price", "holysheep/gpt-4.1:in=8,out=8", "--price", "own/x:in=1,out=2")
    assert found["inputs"]["models"] == {"holysheep/gpt-4.1": 0.5, "own/x": 0.5}


def test_the_dearest_price_of_a_day_is_called_that() -> None:
    (model,) = document("--model", "deepseek/deepseek-v4-pro")["inference"]["models"]
    assert model["price"]["source"].endswith(", dearest of the day")
    (usual,) = document()["inference"]["models"]
    assert "dearest" not in usual["price"]["source"]


def test_nothing_is_no_share_of_what_is_paid() -> None:
    arguments = ("--today-infrastructure", "0", "--price", "in=0,out=0")
    assert document(*arguments)["savings"]["estimated_share"] is None
    assert re.search(r"\nDearer by: \$[\d.]+ a year\.", call("estimate", *arguments).stdout)


def test_without_a_table_there_are_no_metrics_of_circuits() -> None:
    assert document("--no-table")["inputs"]["metrics"] == 22
    assert document("--no-table", "--metrics", "23")["inputs"]["metrics"] == 23
    assert deployment_of({"table": False}, None).metrics == metric_count(
        GatewayConfig(upstreams=(PRESETS["openai"],)), circuits=False, versions=1
    )


def test_limits_are_said_where_the_simulation_has_them() -> None:
    found = {quota["name"]: quota for quota in document("--requests-per-day", "20000000")["quotas"]}
    assert found["table_consumer_writes"]["exceeded"]
    assert found["lambda_starts"]["exceeded"]
    assert not found["table_item_writes"]["exceeded"]
    arguments = ("--requests-per-day", "20000000", "--largest-consumer", "0.3")
    spread = {quota["name"]: quota for quota in document(*arguments)["quotas"]}
    assert not spread["table_consumer_writes"]["exceeded"]


def test_names_are_shown_as_they_are_typed() -> None:
    done = call("estimate", "--model", "own/[red]x", "--price", "in=1,out=1")
    assert done.exit_code == DONE, done.stderr
    assert "own/[red]x (--price)" in done.stdout


def test_the_published_calculation_is_reproduced() -> None:
    """By its own inputs its sums come out as published."""
    found = document("--example", "published-comparison")
    figures = {figure["name"]: figure for figure in found["calculation"]}
    assert figures["before_tokens"]["estimated_usd"] == figures["before_tokens"]["published_usd"] == 1_500
    published = {name: figure["published_usd"] for name, figure in figures.items()}
    assert published["before"] == published["before_tokens"] + published["before_servers"]
    assert published["after"] == published["after_tokens"] + published["after_lambda"]
    assert published["saved"] == 12 * (published["before"] - published["after"]) == 14_964
    assert 425.0 not in found["tokens_after"]["estimated_usd"].values()
    assert all(offer.listed_usd is not None and offer.usd > offer.listed_usd for offer in check().relay)


def test_the_estimate_of_its_traffic_is_the_examples() -> None:
    """Two ways to the same figures: what this gateway costs for it, and what its tokens cost."""
    arguments = ["--requests-per-day", str(50_000 * 12 / 365), "--input-tokens", "1000", "--output-tokens", "1000"]
    found = document(*arguments, "--stream-share", "1", "--stream-seconds", "20", "--price", "in=15,out=15")
    assert found["inference"]["estimated_usd_month"] == pytest.approx(1_500)
    example = document("--example", "published-comparison")
    bill = {line["name"]: line["estimated_usd_month"] for line in found["aws"]["lines"] if line["estimated_usd_month"]}
    assert {line["name"]: line["estimated_usd_month"] for line in example["gateway"] if line["estimated_usd_month"]} == bill


def test_the_crossover_shown_is_that_of_the_inputs() -> None:
    made = estimate(ASKED)
    one = made.compared[0]
    assert one.cheaper_from is not None
    assert one.cheaper_from_smallest is not None
    assert gateway_cost(Traffic(), Deployment())(one.cheaper_from) > one.idle_usd
    assert one.cheaper_from_smallest > one.cheaper_from


def test_a_narrow_terminal_cuts_no_figure() -> None:
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=True, width=40, color_system=None)
    print_estimate(console, estimate(ASKED), shown_options({}, ASKED, None))
    assert "…" not in printed.getvalue()
    options = printed.getvalue().partition("AWS, a month")[0]
    assert max(map(len, options.splitlines()[2:])) <= 40


@pytest.mark.parametrize(
    "arguments",
    [
        ["--requests-per-day", "0"],
        ["--requests-per-day", "1000000000", "--stream-seconds", "900"],
        ["--stream-seconds", "0", "--json-seconds", "0"],
        ["--input-tokens", "10000000", "--output-tokens", "10000000", "--requests-per-day", "1000000000", "--log-bytes", "1e6"],
        ["--secrets", "100000", "--metrics", "100000", "--alarm-metrics", "100000", "--init-seconds", "60"],
    ],
)
def test_the_ends_of_the_scale_are_drawn_and_shown(arguments: list[str], tmp_path: Path) -> None:
    for more in ([], ["--json"]):
        done = call("estimate", *arguments, "--picture", str(tmp_path / "x.svg"), *more)
        assert done.exit_code == DONE, done.stderr
        assert "…" not in done.stdout
    assert "nan" not in (tmp_path / "x.svg").read_text("utf-8").lower()
