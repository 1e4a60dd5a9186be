"""What commands print: live progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 160

_CONTROLS = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)
_CONTROLS[ord("\n")], _CONTROLS[ord("\t")] = "\n", "\t"
"""What steers a terminal, or turns the direction of its text, and what is shown in its place."""


def harmless(text: str) -> str:
    """A text as it may be shown: a client may name a model so that a terminal would take it for an order. As long as it was."""
    return text.translate(_CONTROLS)


def widen(console: Console) -> None:
    """Give tables room where there is no terminal: rich takes 80 columns for given there, and folds."""
    if not console.is_terminal:
        console.width = _PIPE_WIDTH


class _Table(Table):
    """A table whose cells give no orders to a terminal."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*map(_harmless_cell, cells), **options)


def _harmless_cell(cell: RenderableType | None) -> RenderableType | None:
    if isinstance(cell, Text):
        cell.plain = harmless(cell.plain)
    return harmless(cell) if isinstance(cell, str) else cell


def plain_table() -> Table:
    """A table without lines, as all commands print them."""
    return _Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


class Output:
    """Prints progress, notices and results.

    Args:
        verbose: print each request and everything that the function prints. Default: only what needs attention.
        console: where to print. Default: standard output, errors to standard error.
    """

    def __init__(self, *, verbose: bool = False, console: Console | None = None) -> None:
        self.verbose = verbose
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._errors = console or Console(highlight=False, soft_wrap=True, stderr=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something takes a while, and afterwards how long it took."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(escape(text) + " …"):
                yield
            self._console.print(f"[green]✓[/] {escape(text)} [dim]({time.monotonic() - started:.1f} s)[/]")
        else:
            self.line(f"==> {text}")
            yield
            self.line(f"    done in {time.monotonic() - started:.1f} s")

    @contextmanager
    def busy(self) -> Iterator[Callable[[str], None]]:
        """Show on a terminal what is being done, for as long as it is; elsewhere nothing.

        Yields:
            What is to be told what is done next.
        """
        if not self._console.is_terminal:
            yield lambda _: None
            return
        with self._console.status("…") as status:
            yield lambda text: status.update(f"{escape(text)} …")

    def line(self, text: str = "") -> None:
        """Print a line as it is."""
        self._console.print(harmless(text), markup=False)
        # A pipe is block-buffered: whoever waits for a line there would wait for four kilobytes.
        self._console.file.flush()

    def heading(self, text: str) -> None:
        """Print a line that stands out on a terminal."""
        self._console.print(f"[bold]{escape(harmless(text))}[/]")
        self._console.file.flush()

    def notice(self, text: str) -> None:
        """Print something that the user should know but that stops nothing."""
        self._console.print(f"[yellow]note:[/] {escape(harmless(text))}")
        self._console.file.flush()

    def error(self, text: str) -> None:
        """Print something that went wrong."""
        self._errors.print(f"[red]error:[/] {escape(harmless(text))}")
        self._errors.file.flush()

    def detail(self, text: str) -> None:
        """Print a line in verbose mode only."""
        if self.verbose:
            self._console.print(f"[dim]{escape(harmless(text))}[/]")
            self._console.file.flush()
