"""What CloudWatch Logs takes in for a request: the gateway's own line, and Lambda's about both functions."""

from __future__ import annotations

import io
import json
import time
from contextlib import redirect_stdout

from lambda_runtime.invocation import Invocation
from lambda_runtime.request_log import RequestLog
from lambda_runtime.state.outcome import Attempted, Outcome
from simulation.gateway_code import MAIN
from simulation.inputs import GIVEN
from simulation.usage_items import KEY_ID

PER_EVENT = 26
"""Bytes that CloudWatch Logs adds to each line."""

_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_PLATFORM = (
    f"START RequestId: {_ID} Version: 42\n",
    f"END RequestId: {_ID}\n",
    f"REPORT RequestId: {_ID}\tDuration: 6012.34 ms\tBilled Duration: 6013 ms\tMemory Size: 256 MB\tMax Memory Used: 41 MB\t\n",
)
"""What Lambda writes about each invocation, in its text format."""

_ENVIRON = {"AWS_LAMBDA_FUNCTION_NAME": "AiGateway-GatewayFunction0A1B2C3D-e4f5a6b7c8d9", "AWS_LAMBDA_FUNCTION_VERSION": "42"}


def request_line() -> int:
    """Bytes of the gateway's own line about a usual stream, as it writes it."""
    event = {"requestContext": {"requestId": _ID, "identity": {"apiKeyId": KEY_ID}}}
    written = io.StringIO()
    with redirect_stdout(written):
        record = RequestLog(_ENVIRON, event, Invocation(request_id=_ID, deadline=time.time() + 900))
        record.operation, record.model, record.streamed, record.status = "chat_completions", "model-0", True, 200
        record.asked(MAIN, "model-0", "model-0", 6_000)
        record.bytes_out, record.usage = 60_000, GIVEN.usage
        record.attempts.append(Attempted(f"{MAIN}/model-0", Outcome.SUCCESS))
        record.saw_first_byte()
        record.write()
    # The times of this moment would be of another length each time.
    line = json.loads(written.getvalue())
    line |= {"Duration": 6012.345, "FirstByteLatency": 612.345}
    return len(json.dumps(line, separators=(",", ":"))) + 1 + PER_EVENT


def platform_lines() -> int:
    """Bytes of Lambda's own lines about an invocation of a function."""
    return sum(len(line) + PER_EVENT for line in _PLATFORM)
