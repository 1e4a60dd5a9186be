"""The rotation: keys go into secrets, and into nothing that is logged. (Commands: `Bench.call` looks at what they print.)"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.rotation.openai_accounts import ServiceAccounts
from tests.lambda_runtime.rotation.kit import FakePause, key_of, running_secret, staged_rotation, takes
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json
from tests.security.secret_scan import SecretScan

if TYPE_CHECKING:
    from lambda_runtime.rotation.pause import Pause

CURRENT = "sk-marked-CURRENT-Q7w8E9r0T1y2U3i4"
NEXT = "sk-marked-NEXTKEY-a1S2d3F4g5H6j7K8"
REFUSED = "sk-marked-REFUSED-z9X8c7V6b5N4m3Q2"
ADMIN = "sk-admin-marked-ADMIN-p0O9i8U7y6T5"
SCAN = SecretScan({"current": CURRENT, "next": NEXT, "refused": REFUSED, "admin": ADMIN})


def test_the_rotation_logs_no_key(capsys: pytest.CaptureFixture[str], server: UpstreamServer) -> None:
    """Taken, refused by an upstream that quotes it, and not tried for an upstream that makes no sense."""
    with running_secret(value=CURRENT) as secret:
        rotated = staged_rotation(secret, server.url)
        server.answer = takes(CURRENT, NEXT)
        secret.stage(NEXT)
        secret.rotate(rotated)
        assert secret.value() == NEXT
        for answer in (takes(CURRENT), _quoting(500), _quoting(418)):
            server.answer = answer
            secret.stage(REFUSED)
            with pytest.raises(RotationError) as caught:
                secret.rotate(rotated)
            assert SCAN.leaks("the error that Lambda logs", str(caught.value)) == []
            secret.pause = FakePause()
    assert SCAN.leaks("the log", capsys.readouterr().out) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_the_admin_key_is_not_in_what_a_provider_says(server: UpstreamServer, status: int) -> None:
    server.answer = _quoting(status)
    accounts = ServiceAccounts(server.url, "proj_1", ADMIN, cast("Pause", FakePause()))
    with pytest.raises(RotationError) as listing:
        accounts.list()
    with pytest.raises(RotationError) as minting:
        accounts.mint("name")
    assert SCAN.leaks("the errors", f"{listing.value} {minting.value}") == []


def _quoting(status: int) -> Any:
    def answer(received: Received, connection: Connection) -> None:
        words = f"not with {key_of(received)}: {json.dumps(dict(received.headers))}"
        answer_json({"error": {"message": words}}, status)(received, connection)

    return answer
