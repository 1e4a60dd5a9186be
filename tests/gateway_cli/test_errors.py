import io

import pytest
import typer
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.errors import FAILED, MISTAKEN, CommandError, explain, reported


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not so"}}, "Query")


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (
            refused("AccessDeniedException"),
            "it takes dynamodb:Query on the gateway's table; docs/operations.md lists the permissions",
        ),
        (refused("ExpiredTokenException"), "sign in again"),
        (refused("ThrottlingException"), "AWS refuses that: An error occurred (ThrottlingException)"),
        (NoCredentialsError(), "use --local for a gateway on this machine"),
        (NoRegionError(), "--region or AWS_REGION"),
        (EndpointConnectionError(endpoint_url="https://dynamodb.x.amazonaws.com"), "is the Region right"),
        (BotoCoreError(), "AWS cannot be asked: An unspecified error occurred"),
    ],
)
def test_every_failure_has_its_way_out(error: BotoCoreError | ClientError, way_out: str) -> None:
    assert way_out in explain(error)


@pytest.mark.parametrize(
    ("error", "status"),
    [(CommandError("no [b]"), FAILED), (CommandError("no [b]", status=MISTAKEN), MISTAKEN), (refused("no [b]"), FAILED)],
)
def test_a_command_ends_with_a_sentence_and_a_status(error: Exception, status: int) -> None:
    printed = io.StringIO()
    with pytest.raises(typer.Exit) as ended, reported(Output(console=Console(file=printed))):
        raise error
    assert ended.value.exit_code == status
    assert printed.getvalue().startswith("error: ")
    assert "no [b]" in printed.getvalue()
