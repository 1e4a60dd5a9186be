"""Postpones the import of what others import and hardly ever use.

Not with `importlib.util.LazyLoader`: the import statement itself looks at a module's `__spec__`, which makes that one load.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Postponed(ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import statement asks for such
            raise AttributeError(name)
        del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def postpone(name: str) -> None:
    """Have a module loaded when something of it is used for the first time. To be called before anybody imports it.

    httpx imports idna, which takes 1.1 MB and a millisecond or two, and needs it for host names that are not ASCII only.

    Args:
        name: of a module at the top level.
    """
    if name not in sys.modules:
        sys.modules[name] = _Postponed(name)
