import asyncio
import io
from collections.abc import Callable

import pytest
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.local import worker_pool
from gateway_cli.local.worker import FunctionVersion
from gateway_cli.local.worker_pool import ThrottledError, WorkerPool
from tests.gateway_cli.front_kit import function

ENDING = 5


class SlowToEnd:
    """A worker that is out of the pool some time before its `stop` has returned."""

    def __init__(self, function: FunctionVersion, *, on_exit: Callable[[object], None], **_: object) -> None:
        self.function = function
        self.answered = False
        self._on_exit = on_exit

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self._on_exit(self)
        for _ in range(ENDING):
            await asyncio.sleep(0)

    def invoke(self, *_: object) -> object:
        return self


def test_two_requests_do_not_share_the_room_that_one_of_them_has_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "Worker", SlowToEnd)

    async def run() -> list[object]:
        pool = WorkerPool(python="", limit=1, output=Output(console=Console(file=io.StringIO())))
        await pool.warm(function("1"))

        async def later(ticks: int) -> object:
            for _ in range(ticks):
                await asyncio.sleep(0)
            return await pool.invoke(function("2"), b"", "")

        return list(await asyncio.gather(later(0), later(ENDING - 2), return_exceptions=True))

    answers = asyncio.run(run())
    assert sorted(isinstance(answer, ThrottledError) for answer in answers) == [False, True]
