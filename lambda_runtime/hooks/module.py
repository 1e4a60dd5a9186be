"""The user's hook module: imports it when the function starts, calls its functions, and answers for what they raise."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Final

from lambda_runtime import log
from lambda_runtime.config import HOOKS_DIRECTORY
from lambda_runtime.errors import HookError, RefusedError
from lambda_runtime.hooks.fields import HookUsageError
from lambda_runtime.hooks.refusal import Refusal
from lambda_runtime.hooks.request import HookRequest
from lambda_runtime.hooks.response import HookResponse

BEFORE: Final = "before_request"
AFTER: Final = "after_response"

Before = Callable[[HookRequest], None]
After = Callable[[HookRequest, HookResponse], None]


class HookModuleError(Exception):
    """The hook module cannot be used. Raised while the function starts, so that Lambda reports its text."""


class Hooks:
    """The hooks of a gateway.

    Args:
        module: name of their module, for the log.
        before: called with each request before it is routed. Default: nothing.
        after: called with each response after it has ended. Default: nothing.
    """

    __slots__ = ("_after", "_before", "_module")

    # Here, so that the relay need not import the types of hooks: a function without hooks would pay for it at each start.
    request = HookRequest

    def __init__(self, module: str, *, before: Before | None = None, after: After | None = None) -> None:
        self._module = module
        self._before = before
        self._after = after

    @classmethod
    def load(cls, module: str) -> Hooks:
        """Import the module from the function's hooks directory.

        Args:
            module: its name.

        Raises:
            HookModuleError: if it cannot be imported, or has no function that can be called.
        """
        _find_modules_in(os.path.join(os.environ["LAMBDA_TASK_ROOT"], HOOKS_DIRECTORY))  # noqa: PTH118  paths are texts there
        try:
            imported = importlib.import_module(module)
        except (Exception, SystemExit) as error:
            reason = f"the hook module {module!r} cannot be imported: {type(error).__name__}: {error}"
            # With the frames of the user's module, which is where it must be mended.
            raise HookModuleError(reason).with_traceback(error.__traceback__) from error
        before, after = _function(imported, BEFORE, 1), _function(imported, AFTER, 2)
        if before is None and after is None:
            raise HookModuleError(f"the hook module {module!r} defines neither {BEFORE} nor {AFTER}")
        return cls(module, before=before, after=after)

    def before(self, request: HookRequest) -> None:
        """Let the hook see and change a request, and freeze what it has changed.

        Raises:
            RefusedError: if the hook refuses it.
            HookError: if the hook fails, which has been logged.
        """
        try:
            if self._before is not None:
                _expect_none(self._before(request))
        except Refusal as refusal:
            raise RefusedError(refusal.message, refusal.status, code=refusal.code, param=refusal.param) from None
        except MemoryError:
            raise  # the instance is given up
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a hook does
            self._log(BEFORE, error, request)
            raise HookError from None
        finally:
            request.freeze()

    def after(self, request: HookRequest, response: HookResponse) -> None:
        """Let the hook see what came of a request. The client has its answer, so that a failure is only logged."""
        if self._after is None:
            return
        try:
            _expect_none(self._after(request, response))
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._log(AFTER, error, request)

    def _log(self, function: str, error: BaseException, request: HookRequest) -> None:
        """Where it happened. The text of an exception may quote the request; that of a `HookUsageError` does not."""
        more = {"reason": str(error)} if isinstance(error, HookUsageError) else {}
        log.unexpected(error, hook=f"{self._module}.{function}", **more, request_id=request.request_id)


def _find_modules_in(directory: str) -> None:
    """Put the directory on the search path.

    It comes after the gateway's own modules and Python's, which a file in it must not replace by accident, and before what the
    managed runtime brings, so that a package in it is found rather than the runtime's.
    """
    if directory in sys.path:
        return
    last = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    sys.path.insert(sys.path.index(last) if last in sys.path else len(sys.path), directory)


def _function(module: object, name: str, arguments: int) -> Callable[..., None] | None:
    found = getattr(module, name, None)
    if found is None:
        return None
    import inspect  # noqa: PLC0415  for those who have hooks

    if not callable(found):
        raise HookModuleError(f"{name} of the hook module must be a function, got {type(found).__name__}")
    if inspect.iscoroutinefunction(found) or inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise HookModuleError(f"{name} of the hook module must be a plain function, neither async nor with a yield")
    try:
        inspect.signature(found).bind(*(None,) * arguments)
    except TypeError:
        takes = "request" if arguments == 1 else "request, response"
        raise HookModuleError(f"{name} of the hook module must take ({takes}), got {inspect.signature(found)}") from None
    except ValueError:
        pass  # written in C, it does not say what it takes
    hook: Callable[..., None] = found
    return hook


def _expect_none(result: object) -> None:
    if result is not None:
        # Mostly a refusal that was meant to be raised: to go on would be to let the request pass.
        raise HookUsageError(f"a hook returns nothing, got {type(result).__name__}; a Refusal is raised, other things are set")
