"""What a SnapStart snapshot would hold: the objects of the process when its hooks have run."""

from __future__ import annotations

from pathlib import Path

from lambda_runtime.config import GatewayConfig
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, both_formats
from tests.lambda_runtime.test_handler import run, secrets
from tests.lambda_runtime.upstream_server import UpstreamServer

# The process is not to hold the key by being asked for it: it has it backwards.
LOOK = f"""
import gc, json
from lambda_runtime import snapstart
backwards = {UPSTREAM_KEY[::-1]!r}

def look():
    gc.collect()
    seen, left, held = set(), gc.get_objects(), False
    while left:  # what holds nothing but texts is not among the collector's own
        owner = left.pop()
        if id(owner) not in seen:
            seen.add(id(owner))
            if isinstance(owner, str | bytes):
                text = owner if isinstance(owner, str) else owner.decode("latin-1")
                held = held or backwards in text[::-1]
            elif owner is not seen and owner is not left:
                left += gc.get_referents(owner)
    print(json.dumps({{"held": held}}))

snapstart.look = look
"""

__all__ = ["secrets"]


def test_no_key_is_left_when_a_snapshot_is_taken(
    tmp_path: Path,
    upstream: UpstreamServer,
    secrets: UpstreamServer,
) -> None:
    config = GatewayConfig(upstreams=(both_formats("main", upstream.url),))
    lines = run(tmp_path, config, secrets, "call", "look", "run_before_snapshot", "look", prelude=LOOK)
    assert [line["held"] for line in lines if "held" in line] == [True, False]
