"""Which local gateways run on this machine: each leaves a note for the commands that work on it, until it ends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

_CONNECT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningGateways:
    """A run of `ai-gateway local`.

    Args:
        pid: its process.
        endpoint_url: where its embedded AWS is.
        region: the Region that it imitates.
        gateways: paths of the gateways' constructs.
        urls: where each of them takes requests. Default: not known.
    """

    pid: int
    endpoint_url: str
    region: str
    gateways: tuple[str, ...]
    urls: tuple[str, ...] = ()

    @property
    def variables(self) -> str:
        """What to set instead of `--local`, to choose this one among several."""
        return (
            f"AWS_ENDPOINT_URL={self.endpoint_url} AWS_REGION={self.region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
        )

    @property
    def answers(self) -> bool:
        """Whether the run is still there: one that was killed could not take its note away."""
        address = urlsplit(self.endpoint_url)
        with contextlib.suppress(OSError), socket.create_connection((address.hostname, address.port), _CONNECT_SECONDS):
            return True
        return False


def notes_directory() -> Path:
    """Where the notes are: of this user and, where the system has a directory for that, gone with the session."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (Path(runtime) if runtime else cache_base()) / "cdk-ai-gateway" / "running"


def cache_base() -> Path:
    """The user's directory for what can be made again: `XDG_CACHE_HOME`, or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base) if base else Path.home() / ".cache"


@contextlib.contextmanager
def noted(endpoint_url: str, region: str, gateways: Sequence[str], urls: Sequence[str] = ()) -> Iterator[None]:
    """Leave a note while the block runs.

    Args: as `RunningGateways` has them.

    Raises:
        OSError: if it cannot be written.
    """
    run = RunningGateways(pid=os.getpid(), endpoint_url=endpoint_url, region=region, gateways=tuple(gateways), urls=tuple(urls))
    directory = notes_directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = directory / f"{run.pid}.json"
    # Written elsewhere and renamed, so that nobody reads half a note.
    scratch = note.with_suffix(".part")
    scratch.write_text(json.dumps(asdict(run)), "utf-8")
    scratch.replace(note)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)


def running_gateways() -> list[RunningGateways]:
    """The runs that answer. Notes of those that were killed are taken away."""
    found = []
    for note in sorted(notes_directory().glob("*.json")):
        run = _read(note)
        if run and run.answers:
            found.append(run)
        else:
            with contextlib.suppress(OSError):
                note.unlink(missing_ok=True)
    return found


def _read(note: Path) -> RunningGateways | None:
    try:
        content = json.loads(note.read_text("utf-8"))
        return RunningGateways(**content | {"gateways": tuple(content["gateways"]), "urls": tuple(content.get("urls", ()))})
    except (OSError, ValueError, TypeError, KeyError):
        return None
