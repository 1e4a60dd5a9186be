import io

import boto3
import pytest
from rich.console import Console

from gateway_cli.aws.tables import GatewayTable
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.upstreams.desk import Desk
from gateway_cli.upstreams.store import StateStore
from lambda_runtime.config import OPENAI_OPERATIONS, AuthStyle, Endpoint, GatewayConfig, ModelRoute, Target, UpstreamConfig
from tests.gateway_cli.tables import REGION, create_table

NOW = 1_800_000_000.0


def upstream(name: str) -> UpstreamConfig:
    endpoint = Endpoint(base_url=f"https://{name}.example/v1", auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS)
    return UpstreamConfig(name=name, endpoints=(endpoint,))


def configuration(*, serve_unmapped_models: bool = True) -> GatewayConfig:
    """Two upstreams, a route with a weight, one without, one with one target."""
    return GatewayConfig(
        upstreams=(upstream("holysheep"), upstream("openai")),
        models={
            "gpt-4": ModelRoute([Target("holysheep/gpt-4.1", weight=5), "openai/gpt-4.1"]),
            "small": ModelRoute(["holysheep/gpt-4.1-mini", "openai/gpt-4.1-mini"]),
            "alone": ModelRoute(["openai/o9"]),
        },
        serve_unmapped_models=serve_unmapped_models,
    )


class Bench:
    """A desk over moto's DynamoDB: its time is a variable, what it notes is kept."""

    def __init__(self) -> None:
        # Without a stack nobody looks for its functions, which moto does not have.
        create_table("table", gateway="AiGateway/Gateway", stack=None)
        self.now = NOW
        self.noted = io.StringIO()
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.store = StateStore(self.dynamodb, "table", clock=lambda: self.now)

    def desk(self, *configurations: GatewayConfig) -> Desk:
        return Desk(
            where=Where(stack="AiGateway", profile="two words"),
            table=GatewayTable(name="table", gateway="AiGateway/Gateway", stack="AiGateway", found="as named"),
            store=self.store,
            configurations=configurations,
            notes=Output(console=Console(file=self.noted, highlight=False, soft_wrap=True)),
        )

    @property
    def notes(self) -> str:
        return self.noted.getvalue()

    def states(self) -> dict[str, str]:
        return {state.name: state.state for state in self.store.states().states}


@pytest.fixture
def bench(aws: None) -> Bench:  # noqa: ARG001
    return Bench()
