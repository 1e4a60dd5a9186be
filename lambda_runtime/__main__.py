"""Entry point in Lambda: puts the search path in order as the managed bootstrap does, then runs the loop."""

import gc
import os
import sys


def _search_path(task_root: str, rest: list[str]) -> list[str]:
    """Where modules are looked for: the function's code, layers, then what the managed runtime brings, as boto3."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    first = [task_root, f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    last = [os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")]
    own = os.path.join(task_root, "lambda_runtime")  # noqa: PTH118  (pathlib is not imported yet, and need not be for this)
    return first + [path for path in rest if path not in {*first, *last, own, ""}] + last


if __name__ == "__main__":
    # Nothing that is imported becomes garbage; the loop enables the collector when the function is ready.
    gc.disable()
    sys.path[:] = _search_path(os.environ["LAMBDA_TASK_ROOT"], sys.path)
    # A line of the log in one piece and at once: the process may be frozen after any answer.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    from lambda_runtime.postponed import postpone

    postpone("idna")
    from lambda_runtime.loop import run

    sys.exit(run())
