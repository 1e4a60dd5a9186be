"""This machine's clock by AWS's."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import format_datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from gateway_cli.aws.connection import Connection
from gateway_cli.doctor.clock import check_clock
from gateway_cli.doctor.findings import Finding, Level, examined


class There:
    """AWS, whose clock is so many seconds ahead of this machine's."""

    local = None

    def __init__(self, ahead: float | None, *, refuses: bool = False) -> None:
        self.ahead = ahead
        self.refuses = refuses

    def client(self, service: str) -> Any:
        assert service == "sts"
        return self

    def get_caller_identity(self) -> dict[str, Any]:
        headers = {}
        if self.ahead is not None:
            moment = dt.datetime.fromtimestamp(time.time() + self.ahead, dt.UTC).replace(microsecond=0)
            headers["date"] = format_datetime(moment, usegmt=True)
        answer: dict[str, Any] = {"ResponseMetadata": {"HTTPHeaders": headers}}
        if self.refuses:
            answer["Error"] = {"Code": "SignatureDoesNotMatch", "Message": "Signature expired"}
            raise ClientError(cast("Any", answer), "GetCallerIdentity")
        return answer


def found(there: Any) -> Finding:
    (finding,) = examined("clock", check_clock(cast("Connection", there)))
    return finding


def test_the_same() -> None:
    assert (found(There(0)).level, found(There(0)).text) == (Level.OK, "this machine's clock is AWS's")
    assert found(There(-20)).level is Level.OK


@pytest.mark.parametrize(
    ("ahead", "level", "said"),
    [
        (120, Level.WARNING, "behind AWS's; from 5 minutes on requests are refused"),
        (-120, Level.WARNING, "ahead of AWS's"),
        (-4000, Level.ERROR, "ahead of AWS's: requests are refused for their signature"),
    ],
)
def test_another(ahead: float, level: Level, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    finding = found(There(ahead))
    assert (finding.level, said in finding.text) == (level, True)
    assert finding.mend == ("sudo timedatectl set-ntp true",)


def test_a_refusal_tells_the_time_too() -> None:
    assert found(There(600, refuses=True)).level is Level.ERROR


def test_an_answer_without_a_date() -> None:
    assert found(There(None)).level is Level.SKIPPED


def test_aws_cannot_be_asked() -> None:
    class Nowhere(There):
        def get_caller_identity(self) -> dict[str, Any]:
            raise EndpointConnectionError(endpoint_url="https://sts.amazonaws.com")

    assert (found(Nowhere(0)).level, "is there a way to the network?" in found(Nowhere(0)).text) == (Level.SKIPPED, True)


def test_the_embedded_aws() -> None:
    there = There(0)
    there.local = cast("Any", object())
    assert found(there).level is Level.SKIPPED
