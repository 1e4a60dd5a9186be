"""The embedded AWS: one private ministack process."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from botocore.config import Config

from gateway_cli.aws.embedded import CREDENTIALS, embedded_session
from gateway_cli.console import Output
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.processes import ToolProcess, free_port
from gateway_cli.local.tool_environment import tool_python

START_SECONDS = 30.0

_GUARD = str(Path(__file__).with_name("page_guard.py"))
_RUN = f"import runpy\nimport ministack.app as tool\ntool.app = runpy.run_path({_GUARD!r})['guarded'](tool.app)\ntool.main()\n"

_SETTINGS_OF_USERS = ("AWS_", "MINISTACK_", "LOCALSTACK_", "S3_", "LAMBDA_", "DOCKER_")


class Emulator:
    """A running emulator and how to reach it.

    Args:
        process: its process.
        port: its port on 127.0.0.1.
        region: its default Region.
    """

    def __init__(self, process: ToolProcess, port: int, region: str) -> None:
        self.process = process
        self.region = region
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self._session = embedded_session(region)
        self._making = threading.Lock()

    @classmethod
    async def start(cls, *, account: str, region: str, directory: Path, output: Output) -> Emulator:
        """Start an emulator whose state lives in a directory and ends with it.

        Args:
            account: id of the account that it imitates.
            region: its default Region.
            directory: an existing directory for its files.
            output: shows the progress.

        Raises:
            LocalGatewayError: if it cannot be installed or does not start.
        """
        python = await tool_python("ministack", output)
        port = free_port()
        state = directory / "ministack"
        state.mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS_OF_USERS)}
        environment |= CREDENTIALS | {
            "BIND_HOST": "127.0.0.1",  # it binds every address by default
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": account,
            "MINISTACK_REGION": region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # No Docker: it would look for containers that other emulators of this machine have left, and remove them.
            "DOCKER_HOST": f"unix://{state}/no-docker.sock",
            "TMPDIR": str(state),
            "STATE_DIR": str(state / "state"),
            "S3_DATA_DIR": str(state / "s3"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with output.step("Starting the embedded AWS"):
            process = await ToolProcess.start(
                "the embedded AWS", python, _RUN, environment=environment, directory=state, log=directory / "ministack.log"
            )
            try:
                ready = await process.accepts(port, START_SECONDS)
            except asyncio.CancelledError:
                await process.stop()
                raise
        if not ready:
            printed = process.last_lines()
            await process.stop()
            raise LocalGatewayError(f"the embedded AWS did not start within {START_SECONDS:.0f} s; it printed:\n{printed}")
        return cls(process, port, region)

    def client(self, service: str, *, region: str | None = None) -> Any:
        """A boto3 client of the emulator.

        Args:
            service: boto3's name of the service.
            region: Default: the emulator's.
        """
        # A session makes one client at a time only; clients themselves may be shared.
        with self._making:
            return self._session.client(
                service,  # type: ignore[call-overload]
                region_name=region or self.region,
                endpoint_url=self.endpoint_url,
                config=Config(
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                    # The user's proxy must not stand between this process and the loopback address.
                    proxies={},
                    max_pool_connections=20,
                ),
            )

    async def stop(self) -> None:
        """End the emulator with everything that it started."""
        await self.process.stop()
