"""The function under test: its asset as published, and processes of it started as Lambda starts them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from benchmarks.gateway_call import RuntimeApi
from function_build.bytecode import find_function_python

_PUBLISHED = time.mktime((1980, 1, 1, 0, 0, 0, 0, 0, -1))
"""Publishing an asset gives every file this time."""


class PublishedFunction:
    """The gateway function's asset with its files' times and permissions as in Lambda.

    Args:
        directory: made here; an attribute, too.
        ports: where the upstream listens; the second one, if any, is for TLS.
        environ: further environment variables of its processes. Default: none.
    """

    def __init__(self, directory: Path, *ports: int, environ: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._environ = environ or {}
        self.python = find_function_python() or sys.executable
        # In a process of its own: the CDK leaves a Node process behind that would disturb what is measured.
        subprocess.run(
            [sys.executable, "-m", "benchmarks.stage", directory, *map(str, ports)], check=True, stderr=subprocess.DEVNULL
        )
        asked = subprocess.run([self.python, "-V"], check=True, capture_output=True, text=True)
        self.version = asked.stdout.strip()
        self.has_bytecode = any(directory.rglob("*.pyc"))
        for path in [directory, *directory.rglob("*")]:
            os.utime(path, (_PUBLISHED, _PUBLISHED))
            path.chmod(path.stat().st_mode & ~0o222)

    def remove(self) -> None:
        """Delete the files."""
        for path in [self.directory, *self.directory.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
        shutil.rmtree(self.directory)

    def zipped_size(self) -> float:
        """Size of the archive that is uploaded, in MB."""
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self.directory.rglob("*")):
                archive.write(path, path.relative_to(self.directory))
        return len(buffer.getvalue()) / 1e6

    @contextmanager
    def running(
        self, api: RuntimeApi, environ: Mapping[str, str] | None = None, within: Sequence[str] = ()
    ) -> Iterator[tuple[int, float]]:
        """Start a process and wait for its first request for an event.

        Args:
            api: its Runtime API.
            environ: further environment variables. Default: none.
            within: a command that ends in executing the one behind it. Default: none.

        Yields:
            The process's id, and the milliseconds that the start took.
        """
        env = {
            "PATH": os.environ["PATH"],
            "LAMBDA_TASK_ROOT": str(self.directory),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "gateway",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "_HANDLER": "lambda_runtime.handler.handler",
            **self._environ,
            **(environ or {}),
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            [*within, self.directory / "exec-wrapper", self.python, "/var/runtime/bootstrap.py"],
            env=env,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield process.pid, (api.wait_for_next() - began) * 1000
        finally:
            process.kill()
            process.wait()
            api.hang_up()

    def bare_start(self) -> float:
        """Milliseconds that the interpreter takes to start and end with nothing to do."""
        began = time.perf_counter()
        subprocess.run([self.python, "-c", ""], check=True)
        return (time.perf_counter() - began) * 1000


def memory(pid: int, field: str) -> float:
    """Memory of a process in MB.

    Args:
        pid: the process's id.
        field: `VmHWM` for the peak, `VmRSS` for now.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / 1024
    raise KeyError(field)
