from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway, Upstream
from gateway_construct.upstream import ANTHROPIC_OPERATIONS
from lambda_runtime.config import AuthStyle
from tests.lambda_runtime.upstream_server import UpstreamServer, serve
from tests.local_gateway import LocalGateway, running


@dataclass
class Scripted:
    """A local gateway whose upstream does what a test says."""

    gateway: LocalGateway
    upstream: UpstreamServer


@pytest.fixture(scope="session")
def scripted_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """One for the session. Its upstream takes no key, so that no stand-in answers for it."""
    directory = tmp_path_factory.mktemp("scripted")
    with serve() as upstream:
        app = App(outdir=str(directory / "cdk.out"))
        chat = Upstream.openai_compatible("chat", base_url=f"{upstream.url}/v1", auth=AuthStyle.NONE)
        messages = Upstream.anthropic_compatible(
            "messages", base_url=upstream.url, operations=ANTHROPIC_OPERATIONS, auth=AuthStyle.NONE
        )
        AiGateway(Stack(app, "Scripted"), "Gateway", upstreams=[chat, messages])
        app.synth()
        with running(directory / "cdk.out", "--no-stand-in", scratch=directory) as gateway:
            yield Scripted(gateway, upstream)


@pytest.fixture
def scripted(scripted_gateway: Scripted) -> Scripted:
    """The scripted gateway, its upstream's memory empty."""
    scripted_gateway.upstream.received.clear()
    scripted_gateway.upstream.answers.clear()
    return scripted_gateway
