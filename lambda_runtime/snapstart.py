"""Hooks around a SnapStart snapshot: what must not be in it is put away before, and made anew after each restore.

A snapshot is resumed many times, much later, on other machines: sockets in it are dead, credentials and random state stale.
"""

from __future__ import annotations

from collections.abc import Callable

Hook = Callable[[], object]

_before: list[Hook] = []
_after: list[Hook] = []


def before_snapshot(hook: Hook) -> Hook:
    """Have a function called before the snapshot is taken. The last one registered is called first.

    Args:
        hook: called without arguments; its result is ignored. One that raises makes the initialisation fail.

    Returns:
        The hook, so that this can be used as a decorator.
    """
    _before.append(hook)
    return hook


def after_restore(hook: Hook) -> Hook:
    """Have a function called after each restore, before the first event. They are called in the order of registration.

    Args:
        hook: called without arguments; its result is ignored. One that raises makes the restore fail.

    Returns:
        The hook, so that this can be used as a decorator.
    """
    _after.append(hook)
    return hook


def run_before_snapshot() -> None:
    """Call the hooks of `before_snapshot`. What they raise passes through."""
    for hook in reversed(_before):
        hook()


def run_after_restore() -> None:
    """Call the hooks of `after_restore`. What they raise passes through."""
    for hook in _after:
        hook()
