"""The HTTP server in front of a REST API: aiohttp's, without what API Gateway does not do."""

from __future__ import annotations

import logging
import traceback

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway_cli.console import Output

_HEADER_FIELD = 16 * 1024


def http_runner(handle: Handler, output: Output) -> web.AppRunner:
    """A server that gives every request to one handler, as it came.

    Args:
        handle: answers a request.
        output: takes what is no HTTP and what the handler did not expect.
    """
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    app.on_response_prepare.append(_nameless)
    return web.AppRunner(
        app,
        access_log=None,
        # The function is sent a compressed body as it is.
        auto_decompress=False,
        logger=_logger(output),
        max_field_size=_HEADER_FIELD,
        max_line_size=_HEADER_FIELD,
        shutdown_timeout=0.1,
    )


async def _nameless(_request: web.Request, response: web.StreamResponse) -> None:
    """API Gateway does not say what it runs on."""
    response.headers.pop("Server", None)


def _logger(output: Output) -> logging.Logger:
    # Not from the registry of loggers: it belongs to this server alone.
    logger = logging.Logger(__name__, logging.WARNING)  # noqa: LOG001 - see above
    logger.addHandler(_Lines(output))
    return logger


class _Lines(logging.Handler):
    """Prints a line for each record, in place of aiohttp's traceback."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        text = " ".join(str(error).split()) if error else ""
        self._output.error(f"{record.getMessage()}: {type(error).__name__}: {text[:200]}" if error else record.getMessage())
        if error:
            self._output.detail("".join(traceback.format_exception(error)))
