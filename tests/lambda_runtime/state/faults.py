"""What a table may answer instead, and what the log says then."""

from __future__ import annotations

import json

import pytest

from tests.lambda_runtime.state.table_kit import PREFIX
from tests.lambda_runtime.upstream_server import Answer, Connection, Received, answer_bytes, answer_json, answer_with_silence


def answer_error(kind: str, status: int = 400) -> Answer:
    return answer_json({"__type": PREFIX + kind, "message": "no"}, status)


def reset(_received: Received, connection: Connection) -> None:
    connection.cut(reset=True)


def denied_by_operation(received: Received, connection: Connection) -> None:
    operation = (received.header("x-amz-target") or "").rpartition(".")[2]
    message = f"User: arn:x is not authorized to perform: dynamodb:{operation} on resource: arn:y because"
    answer_json({"__type": PREFIX + "AccessDeniedException", "message": message}, 400)(received, connection)


FAULTS: dict[str, tuple[Answer, int]] = {
    "silent": (answer_with_silence, 1),
    "reset": (reset, 1),
    "throttled": (answer_error("ThrottlingException"), 2),
    "used up": (answer_error("ProvisionedThroughputExceededException"), 2),
    "gone": (answer_error("ResourceNotFoundException"), 1),
    "denied": (denied_by_operation, 3),
    "failing": (answer_error("InternalServerError", 500), 2),
    "html": (answer_bytes(b"<html>", 502), 2),
    "garbage": (answer_bytes(b"\x00\x01"), 2),
}
"""What is answered, and how many lines that is worth: two where it says nothing about reading and writing together, three where
each operation has a line of its own, and of writing one more says that usage is held back."""


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
