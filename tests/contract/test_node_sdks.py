"""The official Node SDKs against the whole local gateway."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_gateway import LocalGateway

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]

PROGRAM = Path(__file__).parent / "node" / "clients.mjs"


def test_both_sdks(local_gateway: LocalGateway) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    node = shutil.which("node", path=path)
    assert node is not None
    environment = {
        "PATH": path,
        "OPENAI_BASE_URL": local_gateway.openai_base_url,
        "ANTHROPIC_BASE_URL": local_gateway.anthropic_base_url,
        "GATEWAY_KEY": local_gateway.key,
    }
    run = subprocess.run([node, str(PROGRAM)], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    results = json.loads(run.stdout)
    assert results["chat"] == "gpt-4.1"
    assert results["chatStream"] > 1
    assert results["models"] > 1
    assert results["embedding"] > 0
    assert results["refused"] == "AuthenticationError invalid_api_key"
    assert results["message"] == "text"
    assert results["messageStream"] == "end_turn"
