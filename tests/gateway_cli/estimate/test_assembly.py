"""What is read out of an assembly is what the construct has put there."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_secretsmanager import Secret
from aws_cdk.aws_sns import Topic

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.assembly import read_gateway
from gateway_cli.estimate.options import deployment_of
from gateway_construct import AiGateway, Canary, Plan, Price, Upstream, WebAcl
from gateway_construct.metric_costs import alarm_metric_counts
from gateway_prices.metrics import metric_count
from lambda_runtime.config import AuthStyle
from tests.gateway_cli.gateways import DONE, call

pytestmark = pytest.mark.template

FUNCTION = "AWS::Lambda::Function"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AiGateway]:
    """A stack with two gateways: one that has everything, and the smallest."""
    directory = tmp_path_factory.mktemp("assembly")
    app = App(outdir=str(directory))
    stack = Stack(app, "Prod")
    rich = AiGateway(
        stack,
        "Rich",
        upstreams=[Upstream.openai(), Upstream.anthropic()],
        models={"gpt-4": ["openai/gpt-4.1"]},
        prices={"openai/gpt-4.1": Price(input=1, output=3)},
        release=Canary(weight=0.05, bake=Duration.hours(48)),
        alarm_topic=Topic(stack, "Topic"),
        web_acl=WebAcl(),
        memory_size=512,
        architecture=lambda_.Architecture.X86_64,
    )
    rich.add_consumer("search", plan=Plan(tokens_per_day=1_000))
    AiGateway(stack, "Small", upstreams=[Upstream.openai()], resilience=False, dashboard=False)
    AiGateway(
        stack,
        "Borrower",
        upstreams=[
            Upstream.holysheep(secret=Secret.from_secret_name_v2(stack, "Key", "key")),
            Upstream.anthropic(),
            Upstream.openai_compatible("own", base_url="http://models.example.com/v1", auth=AuthStyle.NONE),
        ],
        models={"gpt-4": ["holysheep/gpt-4.1", "anthropic/claude-sonnet-4-5"]},
    )
    app.synth()
    return directory, rich


def test_the_gateway_is_found_with_all_that_costs(assembly: tuple[Path, AiGateway]) -> None:
    directory, gateway = assembly
    found = read_gateway(directory, "Rich")
    made, config = found.deployment, found.config
    assert found.path == "Prod/Rich"
    assert config is not None
    assert (made.memory_mb, made.architecture, made.secrets, made.dashboards, made.waf_rules) == (512, "x86_64", 2, 1, 3)
    assert made.table
    assert made.budgets
    assert (made.alarm_metrics, made.fast_alarm_metrics) == alarm_metric_counts(gateway.alarms)
    assert made.fast_alarm_metrics > 0 < made.alarm_metrics
    assert made.metrics == metric_count(config, circuits=True, versions=2)


def test_the_other_one_is_not_mixed_up_with_it(assembly: tuple[Path, AiGateway]) -> None:
    made = read_gateway(assembly[0], "Prod/Small").deployment
    assert (made.memory_mb, made.architecture, made.secrets, made.dashboards, made.waf_rules) == (256, "arm64", 1, 0, 0)
    assert not made.table
    assert not made.budgets
    assert (made.alarm_metrics, made.fast_alarm_metrics) == (0, 0)


def test_secrets_of_others_are_read_too(assembly: tuple[Path, AiGateway]) -> None:
    made = read_gateway(assembly[0], "Borrower").deployment
    assert (made.secrets, made.secrets_read) == (1, 2)


def test_the_model_is_the_first_of_the_map_with_a_price(assembly: tuple[Path, AiGateway]) -> None:
    """The gateway has no upstream of the name that is assumed where nothing is known."""
    done = call("estimate", "--assembly", str(assembly[0]), "--gateway", "Borrower", "--json")
    assert done.exit_code == DONE, done.stderr
    found = json.loads(done.stdout)
    assert found["inputs"]["models"] == {"anthropic/claude-sonnet-4-5": 1.0}
    assert "--model" not in found["assumed"]


def test_without_a_priced_model_in_the_map_one_is_asked_for(assembly: tuple[Path, AiGateway]) -> None:
    done = call("estimate", "--assembly", str(assembly[0]), "--gateway", "Small")
    assert done.exit_code == MISTAKEN
    assert "--model: the gateway's model map names no model with a known price; name one that it serves, as in" in done.stderr


def test_another_table_means_other_metrics(assembly: tuple[Path, AiGateway]) -> None:
    read = read_gateway(assembly[0], "Borrower")
    assert read.config is not None
    made = deployment_of({"table": False}, read)
    assert made.metrics == metric_count(read.config, circuits=False, versions=1)


def test_the_estimate_is_of_that_gateway_and_its_prices(assembly: tuple[Path, AiGateway]) -> None:
    arguments = (
        "estimate",
        "--assembly",
        str(assembly[0]),
        "--gateway",
        "Rich",
        "--model",
        "openai/gpt-4.1",
        "--memory",
        "128",
    )
    done = call(*arguments, "--json")
    assert done.exit_code == DONE, done.stderr
    found = json.loads(done.stdout)
    assert found["gateway"] == "Prod/Rich"
    assert (found["inputs"]["memory_mb"], found["inputs"]["architecture"]) == (128, "x86_64")
    assert not {"--memory", "--architecture", "--secrets", "--metrics"} & set(found["assumed"])
    (model,) = found["inference"]["models"]
    assert model["price"]["output"] == 3
    assert model["price"]["source"] == "the gateway's configuration"
    text = call(*arguments).stdout
    assert "Read     architecture x86_64 (--architecture)" in text
    assert "MB of memory 128 (--memory)" in text.partition("\nRead")[0]


def test_which_gateway_is_meant_has_to_be_said(assembly: tuple[Path, AiGateway]) -> None:
    for gateway in (None, "Nobody"):
        with pytest.raises(
            CommandError, match="has these gateways: Prod/Borrower, Prod/Rich, Prod/Small; name one with --gateway"
        ):
            read_gateway(assembly[0], gateway)


def written(directory: Path, resources: dict[str, Any]) -> Path:
    (directory / "S.template.json").write_text(json.dumps({"Resources": resources}))
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}}
    (directory / "manifest.json").write_text(json.dumps({"artifacts": {"S": artifact}}))
    return directory


def test_a_template_without_paths_and_without_its_code_is_one_gateway(tmp_path: Path) -> None:
    function = {"Handler": "lambda_runtime.handler.handler", "MemorySize": {"Ref": "Memory"}}
    resources = {
        "Function": {"Type": FUNCTION, "Properties": function},
        "Secret": {"Type": "AWS::SecretsManager::Secret"},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Period": 10}},
    }
    found = read_gateway(written(tmp_path, resources), None)
    assert found.path == "S"
    assert found.config is None
    assert (found.deployment.secrets, found.deployment.fast_alarm_metrics, found.deployment.memory_mb) == (1, 1, 256)
    # What only the configuration says is not called read.
    assumed = set(json.loads(call("estimate", "--assembly", str(tmp_path), "--json").stdout)["assumed"])
    assert {"--metrics", "--secrets-read", "--model"} <= assumed
    assert not {"--secrets", "--memory"} & assumed


def test_an_assembly_without_a_gateway_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no gateway"):
        read_gateway(written(tmp_path, {"Other": {"Type": FUNCTION, "Properties": {"Handler": "index.handler"}}}), None)
