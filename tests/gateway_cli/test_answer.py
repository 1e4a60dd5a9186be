import asyncio
import json
from collections.abc import Sequence

import pytest

from gateway_cli.local.answer import DELIMITER, Answer, FunctionError, Head

PRELUDE = json.dumps(
    {"statusCode": 201, "headers": {"A": "1", "b": "x"}, "multiValueHeaders": {"B": ["2", "3"]}, "cookies": ["c=1"]}
).encode()
WHOLE = PRELUDE + DELIMITER + b"body"


def read(*pieces: bytes, streaming: bool = True) -> tuple[Head, list[bytes]]:
    async def run() -> tuple[Head, list[bytes]]:
        answer = Answer()
        answer.streaming = streaming

        async def write() -> None:
            for piece in pieces:
                await answer.feed(piece)
            await answer.finish()

        writing = asyncio.create_task(write())
        try:
            return await answer.head(), [piece async for piece in answer.body()]
        finally:
            answer.drop()
            await writing

    return asyncio.run(run())


@pytest.mark.parametrize(
    "pieces",
    [
        [WHOLE],
        [PRELUDE, DELIMITER, b"body"],
        [WHOLE[:5], WHOLE[5 : len(PRELUDE) + 3], WHOLE[len(PRELUDE) + 3 :]],
        [bytes([byte]) for byte in WHOLE[:-4]] + [b"body"],
    ],
    ids=["at once", "in its parts", "cut anywhere", "byte by byte"],
)
def test_a_streamed_answer_however_it_is_cut(pieces: Sequence[bytes]) -> None:
    head, body = read(*pieces)
    assert head == Head(201, (("B", "2"), ("B", "3"), ("A", "1"), ("Set-Cookie", "c=1")))
    assert body == [b"body"]


def test_nuls_in_the_body_are_part_of_it() -> None:
    _, body = read(b"{}" + DELIMITER + DELIMITER + b"x")
    assert body == [DELIMITER + b"x"]


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 404, "body": "no"}, 404, [b"no"]),
        ({"statusCode": "200", "body": "aGk=", "isBase64Encoded": True}, 200, [b"hi"]),
        ({"headers": None, "body": None}, 200, []),
    ],
)
def test_a_buffered_answer(answer: object, status: int, body: list[bytes]) -> None:
    text = json.dumps(answer).encode()
    head, read_body = read(text[:7], text[7:], streaming=False)
    assert (head.status, read_body) == (status, body)


@pytest.mark.parametrize(
    ("pieces", "streaming", "message"),
    [
        ([b"{}"], True, "before the 8 NUL bytes"),
        ([], True, "before the 8 NUL bytes"),
        ([b"x" * 20_000], True, "no delimiter within"),
        ([b"[]" + DELIMITER], True, "not a JSON object"),
        ([b'{"statusCode":"x"}' + DELIMITER], True, "malformed"),
        ([b"nonsense"], False, "not JSON"),
        ([b'{"body":1}'], False, "'body' must be a string"),
    ],
)
def test_answers_that_are_none(pieces: list[bytes], streaming: bool, message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        read(*pieces, streaming=streaming)


def test_a_failure_comes_after_what_was_sent() -> None:
    async def run() -> None:
        answer = Answer()
        answer.streaming = True
        await answer.feed(WHOLE)
        answer.fail(FunctionError("Function.Broken", "gone"))
        await answer.head()
        body = answer.body()
        assert await anext(body) == b"body"
        with pytest.raises(FunctionError, match="gone"):
            await anext(body)

    asyncio.run(run())


def test_a_client_that_has_gone_holds_nothing_up() -> None:
    async def run() -> None:
        answer = Answer()
        answer.streaming = True
        writing = asyncio.create_task(answer.feed(WHOLE))
        await answer.head()
        answer.drop()
        await writing
        for _ in range(1_000):
            await answer.feed(b"more")
        await answer.finish()
        assert answer.finished

    asyncio.run(run())


def test_a_reader_that_is_far_behind_still_gets_every_piece_before_the_failure() -> None:
    async def run() -> None:
        answer = Answer()
        answer.streaming = True
        await answer.feed(b"{}" + DELIMITER)
        pieces = [bytes([number]) for number in range(200)]

        async def write() -> None:
            for piece in pieces:
                await answer.feed(piece)

        writing = asyncio.create_task(write())
        await answer.head()
        await asyncio.sleep(0)  # now it waits for a place in the queue
        writing.cancel()
        answer.fail(FunctionError("Runtime.ExitError", "gone"))
        read: list[bytes] = []
        failed = False
        try:
            async for piece in answer.body():
                read.append(piece)  # noqa: PERF401 - what came before the failure is wanted
        except FunctionError:
            failed = True
        assert failed
        assert len(read) > 10
        assert read == pieces[: len(read)]

    asyncio.run(run())
