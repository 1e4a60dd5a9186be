import asyncio
import io
from unittest import mock

import pytest
from aiohttp.test_utils import make_mocked_request
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.local.answer import DELIMITER, Answer, FunctionError
from gateway_cli.local.relay import relay


@pytest.mark.parametrize("failure", ["broken", "silent"])
def test_what_was_written_before_an_answer_broke_still_goes_out(failure: str) -> None:
    """The event that ends a broken stream is the last of it. A client that has been cut off for its silence gets no more."""
    transport = mock.Mock()

    async def run() -> None:
        answer = Answer()
        answer.streaming = True
        await answer.feed(b"{}" + DELIMITER)
        if failure == "broken":
            answer.fail(FunctionError("Function.Broken", "the upstream hung up"))
        request = make_mocked_request("POST", "/", transport=transport)
        output = Output(console=Console(file=io.StringIO()))
        await relay(request, answer, limit=0.01, streaming=True, own=[], output=output)

    asyncio.run(run())
    # Closing sends what is buffered, aborting throws it away.
    assert [name for name, *_ in transport.method_calls if name in {"close", "abort"}] == [
        {"broken": "close", "silent": "abort"}[failure]
    ]
