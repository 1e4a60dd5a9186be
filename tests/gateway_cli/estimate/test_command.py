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
from gateway_cli.estimate.options import (
    CACHED,
    CAPACITY,
    DEPLOYMENT,
    TRAFFIC,
    capacity_of,
    deployment_of,
    shown_options,
    traffic_of,
)
from gateway_cli.estimate.published import check
from gateway_cli.estimate.rendering import print_estimate
from gateway_cli.estimate.report import Asked, estimate, gateway_cost
from gateway_prices.traffic import Deployment, Traffic
from tests.gateway_cli.gateways import DONE, call


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
        (["--requests-per-day", "-1"], "--requests-per-day"),
        (["--requests-per-day", "nan"], "--requests-per-day"),
        (["--log-bytes", "inf"], "--log-bytes must be a number, got inf; write it in digits"),
        (["--today-infrastructure", "inf"], "--today-infrastructure must be a number, got inf"),
        (["--architecture", "mips"], "--architecture"),
        (["--price", "2,8"], "--price: a price is USD per million tokens of input and output, as in in=2,out=8"),
        (["--price", "in=2"], "got 'in=2'"),
        (["--price", "in=2,out=-8"], "got 'in=2,out=-8'"),
        (["--price", "in=2,out=nan"], "got 'in=2,out=nan'"),
        (["--price", "in=2,out=8,up=1"], "got 'in=2,out=8,up=1'"),
        (["--today-model-price", "15"], "--today-model-price: a price is"),
        (["--price", "a/b:in=2,out=8"], "'a/b' is none of the models; name it with --model a/b"),
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
        assert {field.name for field in fields(made)} - options.keys() <= {"after_seconds", "authorizer_seconds"}
        for name, (option, _) in options.items():
            value, found = getattr(made, name), texts[option]
            assert found, option
            said = found[1]
            if isinstance(value, bool):
                assert said == ("it has" if value else "they have none"), option
            else:
                shown = f"{value:,.10g}" if isinstance(value, int | float) else value
                assert re.split(r", ", said)[0] == shown or said == shown, option
    assert texts[CACHED[0]]


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
        "api_gateway", "lambda_requests", "lambda_duration", "lambda_starts", "authorizer_requests", "authorizer_duration",
        "table_writes", "table_reads", "secrets", "secret_calls", "logs", "metrics", "alarms", "dashboard", "waf",
        "data_transfer",
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
    made = estimate(Asked(traffic=Traffic(), deployment=Deployment(), models=parse_models((), ())))
    one = made.compared[0]
    assert one.cheaper_from is not None
    assert one.cheaper_from_smallest is not None
    assert gateway_cost(Traffic(), Deployment())(one.cheaper_from) > one.idle_usd
    assert one.cheaper_from_smallest > one.cheaper_from


def test_a_narrow_terminal_cuts_no_figure() -> None:
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=True, width=40, color_system=None)
    asked = Asked(traffic=Traffic(), deployment=Deployment(), models=parse_models((), ()))
    print_estimate(console, estimate(asked), shown_options({}, Traffic(), Deployment(), asked.capacity, 0.0, read=False))
    assert "…" not in printed.getvalue()
    options = printed.getvalue().partition("AWS, a month")[0]
    assert max(map(len, options.splitlines()[2:])) <= 40


@pytest.mark.parametrize(
    "arguments",
    [
        ["--requests-per-day", "0"],
        ["--requests-per-day", "1000000000", "--stream-seconds", "900"],
        ["--stream-seconds", "0", "--json-seconds", "0"],
    ],
)
def test_the_ends_of_the_scale_are_drawn_and_shown(arguments: list[str], tmp_path: Path) -> None:
    for more in ([], ["--json"]):
        done = call("estimate", *arguments, "--picture", str(tmp_path / "x.svg"), *more)
        assert done.exit_code == DONE, done.stderr
        assert "…" not in done.stdout
    assert "nan" not in (tmp_path / "x.svg").read_text("utf-8").lower()
