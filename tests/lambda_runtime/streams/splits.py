"""Streams of events in all their spellings, and every way to cut them."""

from __future__ import annotations

from hypothesis import strategies as st

ENDINGS = ["\n", "\r\n", "\r"]
BOM = b"\xef\xbb\xbf"

# Characters that a careless splitter would take for line breaks, and some of several bytes.
TEXT = st.text(alphabet='ab:{}" \u2028\x85\x0b\x0cé☃😀', max_size=6)
LINES = st.one_of(
    TEXT.map(lambda text: "data: " + text),
    TEXT.map(lambda text: "data:" + text),
    TEXT.map(lambda text: "event: " + text),
    TEXT.map(lambda text: "id: " + text),
    TEXT.map(lambda text: ":" + text),
    TEXT.map(lambda text: "x" + text),
    st.just("data"),
    st.just("retry: 10"),
    st.sampled_from(['data: {"choices":[{"delta":{"content":"é"}}]}', "data: [DONE]", "data: {", 'data: {"a":1}']),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Lines with endings of one kind or of all; blank ones end events, sometimes several follow each other."""
    mixed = draw(st.booleans())
    ending = draw(st.sampled_from(ENDINGS))
    lines = draw(st.lists(st.one_of(LINES, st.just("")), max_size=14))
    whole = "".join(line + (draw(st.sampled_from(ENDINGS)) if mixed else ending) for line in lines)
    if draw(st.booleans()):
        whole += draw(LINES)  # whose ending is missing
    return (BOM if draw(st.booleans()) else b"") + whole.encode()


def cut(data: st.DataObject, whole: bytes) -> list[bytes]:
    """The bytes in pieces, cut anywhere: in characters, line endings and the byte order mark, too. Some pieces are empty."""
    if data.draw(st.booleans()):
        size = data.draw(st.integers(1, 4))
        return [whole[at : at + size] for at in range(0, len(whole), size)]
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return [whole[begin:end] for begin, end in zip([0, *places], [*places, len(whole)], strict=True)]
