"""The command as it is typed."""

from __future__ import annotations

import json
from typing import Any

import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse

from gateway_cli.aws.permissions import PERMISSIONS
from gateway_cli.errors import FAILED, MISTAKEN
from tests.gateway_cli.doctor.conftest import KEY, Ward
from tests.gateway_cli.gateways import DONE, Done, call

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

LOOKED_AT = [
    *("clock", "alias", "configuration", "release", "secrets", "access", "rotation"),
    *("upstreams", "circuits", "table", "alarms", "concurrency", "throttle"),
]


@pytest.fixture
def well(ward: Ward) -> Ward:
    """A gateway about which there is nothing to say but that it has no alarm."""
    ward.patient()
    return ward


def doctor(ward: Ward, *options: str) -> Done:
    return call("doctor", "--gateway", ward.path, "--no-upstreams", *options)


def document(ward: Ward, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(doctor(ward, "--json", *options).stdout)
    return found


def test_every_check_says_something(well: Ward) -> None:
    found = document(well)
    assert (found["gateway"], found["api"], found["function"]) == (well.path, well.api, well.name)
    assert list(dict.fromkeys(finding["check"] for finding in found["findings"])) == LOOKED_AT
    assert sum(found["counts"].values()) == len(found["findings"])
    assert KEY not in json.dumps(found)


def test_warnings_are_well_unless_strict(well: Ward) -> None:
    done = doctor(well)
    assert done.exit_code == DONE, done.stdout
    assert f"Gateway {well.path}, REST API {well.api} (of the gateway {well.path})" in done.stderr
    assert "warning  alarms         no alarm watches the gateway" in done.stdout
    assert doctor(well, "--strict").exit_code == FAILED


def test_errors_are_not(well: Ward) -> None:
    well.secretsmanager.put_secret_value(SecretId=well.secret, SecretString='{"placeholder": true}')
    done = doctor(well)
    assert done.exit_code == FAILED
    lines = done.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("error    secrets        holysheep: the secret "))
    # In one piece, however narrow the terminal is, and without a border, so that it can be copied.
    assert lines[at + 1].strip() == f"ai-gateway credentials set holysheep --gateway {well.path}"
    assert lines[-1].endswith("1 error")


def test_upstreams_are_not_asked_unless_wanted(well: Ward) -> None:
    assert [finding["text"] for finding in document(well)["findings"] if finding["check"] == "upstreams"] == ["--no-upstreams"]


def test_no_gateway(well: Ward) -> None:
    done = call("doctor", "--gateway", f"{well.path}X")
    assert done.exit_code == MISTAKEN
    # The clock may be why.
    assert done.stdout.startswith("ok")
    assert "has no gateway" in done.stderr
    assert json.loads(call("doctor", "--gateway", f"{well.path}X", "--json").stdout)["gateway"] is None


def refuse(monkeypatch: pytest.MonkeyPatch, *allowed: str) -> None:
    """Have AWS refuse everything else."""

    def answer(model: Any, **_: Any) -> Any:
        if model.name in allowed:
            return None
        content = {"Error": {"Code": "AccessDeniedException", "Message": "no"}, "ResponseMetadata": {"HTTPHeaders": {}}}
        return AWSResponse("", 403, {}, None), content

    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, ("before-call", answer)])


def test_an_operator_who_may_do_nothing(well: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "GetRestApis")
    done = doctor(well, "--json")
    assert done.exit_code == DONE
    found = json.loads(done.stdout)["findings"]
    assert list(dict.fromkeys(finding["check"] for finding in found)) == LOOKED_AT
    lacking = [finding for finding in found if "permission" in finding["text"]]
    assert {finding["level"] for finding in lacking} == {"skipped"}
    assert len(lacking) >= 8


def test_an_operator_who_may_not_even_list_apis(well: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch)
    done = doctor(well)
    assert done.exit_code == FAILED
    assert f"it takes {PERMISSIONS['GetRestApis']}" in done.stderr
    assert "skipped  clock  AWS's answer carries no date" in done.stdout
