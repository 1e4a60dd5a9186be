import boto3
import pytest

from gateway_cli.upstreams.clock import ServerClock
from tests.gateway_cli.upstreams.conftest import NOW
from tests.lambda_runtime.upstream_server import answer_json, serve

HTTP_NOW = "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize(
    ("off", "date", "told"),
    [
        (0.7, HTTP_NOW, NOW + 0.7),
        (-2.9, HTTP_NOW, NOW - 2.9),
        (130.0, HTTP_NOW, NOW),
        (-130.0, HTTP_NOW, NOW),
        (130.0, "yesterday", NOW + 130),
        (130.0, None, NOW + 130),
    ],
)
def test_a_clock_that_is_wrong_is_put_right(off: float, date: str | None, told: float) -> None:
    with serve() as server:
        server.answer = answer_json({"TableNames": []}, headers=[("date", date)] if date else [])
        client = boto3.client(
            "dynamodb",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        clock = ServerClock(client, lambda: NOW + off)
        assert clock() == NOW + off
        client.list_tables()
        assert clock() == pytest.approx(told)
