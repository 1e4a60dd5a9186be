"""What is told when the local gateway takes requests: to people and to scripts."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_cli.console import Output
from gateway_cli.local.errors import LocalGatewayError


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedGateway:
    """A gateway that takes requests.

    Args:
        label: its construct path.
        origin: scheme, host and port.
        stage: name of its stage.
        keys: key values by consumer.
        key_made: whether the key was made because the stack has no consumer.
        models: a model for the printed examples of each format.
        has_table: whether its function instances share a table.
    """

    label: str
    origin: str
    stage: str
    keys: Mapping[str, str]
    key_made: bool
    models: tuple[str, str]
    has_table: bool = False

    @property
    def anthropic_base_url(self) -> str:
        """Base URL for Anthropic clients."""
        return f"{self.origin}/{self.stage}"

    @property
    def openai_base_url(self) -> str:
        """Base URL for OpenAI clients."""
        return f"{self.anthropic_base_url}/v1"

    def as_json(self) -> dict[str, Any]:
        """What scripts need to use it."""
        return {
            "label": self.label,
            "url": self.anthropic_base_url,
            "openai_base_url": self.openai_base_url,
            "anthropic_base_url": self.anthropic_base_url,
            "keys": dict(self.keys),
        }


def write_ready_file(path: Path, gateways: Sequence[ServedGateway], endpoint_url: str, region: str) -> None:
    """Tell scripts: the first gateway at the top, all of them under `gateways`. The file appears complete or not at all.

    Raises:
        LocalGatewayError: if it cannot be written.
    """
    facts = {
        **gateways[0].as_json(),
        "gateways": [gateway.as_json() for gateway in gateways],
        "aws_endpoint_url": endpoint_url,
        "aws_region": region,
        "pid": os.getpid(),
    }
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # It holds keys: for its user alone, whatever the umask lets others do.
        with open(scratch, "w", encoding="utf-8", opener=_private) as file:
            file.write(json.dumps(facts, indent=1) + "\n")
        scratch.replace(path)
    except OSError as error:
        raise LocalGatewayError(f"the ready file {str(path)!r} cannot be written: {error.strerror}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def print_ready(gateways: Sequence[ServedGateway], endpoint_url: str, region: str, output: Output) -> None:
    """Tell people."""
    for gateway in gateways:
        output.line()
        output.heading(f"Gateway {gateway.label}")
        output.line(f"  URL                 {gateway.anthropic_base_url}")
        output.line(f"  OpenAI base URL     {gateway.openai_base_url}")
        output.line(f"  Anthropic base URL  {gateway.anthropic_base_url}")
        for name, value in gateway.keys.items():
            output.line(f"  Key of {name:<12} {value}")
        if gateway.key_made:
            output.notice("the stack has no consumer, so a key and a usage plan without limits were made in the embedded AWS")
        key = next(iter(gateway.keys.values()))
        chat, messages = gateway.models
        output.line()
        output.line("  Try it:")
        output.line(f"  curl -N {gateway.openai_base_url}/chat/completions -H 'Authorization: Bearer {key}' \\")
        output.line("    -H 'Content-Type: application/json' \\")
        output.line(f'    -d \'{{"model":"{chat}","stream":true,"messages":[{{"role":"user","content":"Hello"}}]}}\'')
        output.line(f"  curl -N {gateway.anthropic_base_url}/v1/messages -H 'x-api-key: {key}' \\")
        output.line("    -H 'Content-Type: application/json' -H 'anthropic-version: 2023-06-01' \\")
        output.line(
            f'    -d \'{{"model":"{messages}","max_tokens":64,"stream":true,'
            '"messages":[{"role":"user","content":"Hello"}]}\''
        )
    if any(gateway.has_table for gateway in gateways):
        output.line()
        output.line("  Operate it from another terminal:")
        output.line(f"  {_command()} upstreams status --local")
    output.line()
    output.line(f"  Embedded AWS        {endpoint_url}")
    output.line(f"    AWS_ENDPOINT_URL={endpoint_url} AWS_REGION={region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")
    output.line()
    output.line("Serving. Press Ctrl-C to stop.")


def _command() -> str:
    """This command as its user can call it again, from the same directory."""
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return "python -m gateway_cli"
    return called.name if shutil.which(called.name) == str(called) else str(called)
