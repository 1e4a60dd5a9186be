"""Runs many cases at once: most of their time is spent in waiting for somebody who is silent."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from lambda_runtime.config import Timeouts
from tests.faults.cases import Case
from tests.faults.rig import Rig, Run, rig


def run_all(
    cases: Iterable[Case], directory: Path, *, at_once: int, heartbeat: float = Timeouts().heartbeat
) -> dict[Case, Run | AssertionError]:
    """Run cases, each in whichever function is free.

    Args:
        cases: the cases.
        directory: for the functions' files.
        at_once: how many functions there are.
        heartbeat: seconds of silence after which a stream's client gets a heartbeat.

    Returns:
        What came of each, or why that is nothing that a client may get.
    """
    free: queue.SimpleQueue[Rig] = queue.SimpleQueue()

    def run(case: Case) -> Run | AssertionError:
        function = free.get()
        try:
            return function.run(case.scenario, case.wire, case.setup, streamed=case.streamed)
        except AssertionError as error:
            return error
        finally:
            free.put(function)

    with ExitStack() as stack:
        for number in range(at_once):
            own = directory / str(number)
            own.mkdir()
            free.put(stack.enter_context(rig(own, heartbeat=heartbeat)))
        with ThreadPoolExecutor(at_once) as pool:
            return dict(zip(cases := list(cases), pool.map(run, cases), strict=True))
