"""Every fault, and what must come of it. Written down by hand: nothing here is computed by the code under test."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults import odd_answers as odd
from tests.faults import upstream_faults as does
from tests.faults.outcome import FIRST, SECOND, By, Expected, broken, own_error, relayed_error
from tests.faults.scenario import Result, Scenario, both, breaks, fails, is_passed_on, json, stream, works
from tests.faults.upstream_faults import Fault
from tests.faults.wire import MESSAGES, WIRES

_NO_ANSWER = own_error(502, "upstream_error")
_CUT = own_error(502, "upstream_interrupted")
_INCOMPLETE = own_error(502, "upstream_stream_interrupted")
_INVALID = own_error(502, "upstream_invalid_answer")
_SILENT = fails(own_error(504, "upstream_timeout", "timeout_error"), all_tries=2)
_KEY_REFUSED = own_error(502, "upstream_credentials")
_EMPTY = FIRST._replace(outcome=FIRST.outcome._replace(form="empty"))
_OVERLOADED = relayed_error(529, "overloaded_error", "overloaded_error")


def _status(code: int, kind: str, messages: str, tries: int = 1) -> Scenario:
    result = fails(relayed_error(code, kind, messages), tries)
    return both(f"status {code}", does.status(code, (kind, None), messages), result)


BROKEN = "Broken after content"
"""The section of what delivery as a whole makes good."""

SECTIONS: Mapping[str, tuple[Scenario, ...]] = {
    "No connection, or none that lasts": (
        both("connection refused", does.silent, fails(own_error(502, "upstream_unreachable"), 2), "refusing"),
        both(
            "connection never made",
            does.silent,
            fails(own_error(504, "upstream_connect_timeout", "timeout_error")),
            "unreachable",
        ),
        both("reset before the headers", does.closed(reset=True), fails(_NO_ANSWER)),
        both("closed without an answer", does.closed(reset=False), fails(_NO_ANSWER)),
        both("closed within the headers", does.half_a_head, fails(_NO_ANSWER)),
        both("not HTTP", does.no_http, fails(_NO_ANSWER)),
        both("reset after the headers", does.closed_after_headers(reset=True), fails(_CUT)),
        both("closed after the headers", does.closed_after_headers(reset=False), fails(_CUT)),
    ),
    "Silence": (
        both("silent", does.silent, _SILENT),
        both("silent after the headers", does.silent_after(lambda _: ()), _SILENT),
        stream("silent after roles and `message_start`", does.silent_after(lambda wire: wire.opening), _SILENT),
        both("pings, comments or empty lines only", does.only_pings, _SILENT),
        Scenario("a slow drip, longer than the time-out in all", does.slow_drip, _SILENT, works()),
    ),
    "Statuses": (
        _status(408, "timeout", "timeout_error"),
        both(
            "status 429",
            does.status(429, ("tokens", "rate_limit_exceeded"), "rate_limit_error"),
            fails(relayed_error(429, "rate_limit_exceeded", "rate_limit_error")),
        ),
        both(
            "status 429, Retry-After 1",
            does.status(429, ("tokens", "rate_limit_exceeded"), "rate_limit_error", ("retry-after", "1")),
            # Waited for only if nobody else can be asked at once.
            fails(relayed_error(429, "rate_limit_exceeded", "rate_limit_error", "1"), 2)._replace(
                second_tries=(1, 1), whole_tries=(1, 1)
            ),
        ),
        both(
            "status 429, Retry-After 60",
            does.status(429, ("tokens", "rate_limit_exceeded"), "rate_limit_error", ("retry-after", "60")),
            fails(relayed_error(429, "rate_limit_exceeded", "rate_limit_error", "60")),
        ),
        _status(500, "server_error", "api_error", 2),
        _status(502, "server_error", "api_error", 2),
        both(
            "status 502, a page of HTML",
            does.page(502),
            fails(own_error(502, "server_error"), 2),
        ),
        _status(503, "server_error", "overloaded_error", 2),
        _status(504, "server_error", "timeout_error", 2),
        _status(529, "overloaded_error", "overloaded_error", 2),
        both("a redirect", does.redirect, fails(own_error(502, "upstream_redirect"))),
        both(
            "status 401, the gateway's key refused",
            does.saying(401, "bad API key", ("invalid_request_error", "invalid_api_key"), "authentication_error"),
            fails(_KEY_REFUSED),
        ),
        both(
            "status 403, the gateway's key refused",
            does.saying(403, "this API key may do nothing", ("invalid_request_error", None), "permission_error"),
            fails(_KEY_REFUSED),
        ),
        both(
            "status 403, the model refused",
            does.saying(403, "no access to model m", ("invalid_request_error", "model_not_allowed"), "permission_error"),
            is_passed_on(relayed_error(403, "model_not_allowed", "permission_error")),
        ),
        both(
            "status 400",
            does.saying(400, "no such parameter", ("invalid_request_error", "unknown_parameter"), "invalid_request_error"),
            is_passed_on(relayed_error(400, "unknown_parameter", "invalid_request_error")),
        ),
        both(
            "status 400, the input is too long",
            does.saying(
                400, "prompt is too long: 9 > 8", ("invalid_request_error", "context_length_exceeded"), "invalid_request_error"
            ),
            is_passed_on(relayed_error(400, "context_length_exceeded", "invalid_request_error"), larger=SECOND),
        ),
        both(
            "status 400 of the content filter",
            does.saying(400, "filtered", ("invalid_request_error", "content_filter"), "invalid_request_error"),
            is_passed_on(relayed_error(400, "content_filter", "invalid_request_error")),
        ),
        both(
            "status 404",
            does.saying(404, "no such model", ("invalid_request_error", "model_not_found"), "not_found_error"),
            is_passed_on(relayed_error(404, "model_not_found", "not_found_error")),
        ),
        both(
            "status 422",
            does.saying(422, "unprocessable", ("invalid_request_error", "unprocessable"), "invalid_request_error"),
            is_passed_on(relayed_error(422, "unprocessable", "invalid_request_error")),
        ),
    ),
    "Status 200, and no answer": (
        both("an error, under status 200", does.whole(does.errors), fails(_OVERLOADED, 2)),
        stream(
            "an error event after roles and `message_start`",
            does.events(lambda wire: [*wire.opening, wire.error_event("no", "overloaded_error")]),
            fails(_OVERLOADED, 2),
        ),
        stream(
            "an error as JSON instead of a stream",
            does.whole(lambda wire, _: does.errors(wire, streamed=False), "application/json"),
            fails(_OVERLOADED, 2),
        ),
        Scenario(
            "an empty body",
            does.whole(lambda _wire, _streamed: b""),
            fails(_INVALID),
            fails(_INCOMPLETE),
        ),
        both("an answer without content", does.whole(does.empty), Result(_EMPTY, 1, SECOND, (1, 1), SECOND, (1, 1), 3)),
        stream("a stream that ends before content", does.events(lambda wire: wire.opening), fails(_INCOMPLETE)),
        stream(
            "a stream that is cut before content",
            does.events(lambda wire: [*wire.opening, wire.content("Grüße")[:-9]], cut=True),
            fails(_CUT),
        ),
        json("JSON cut in the middle, of the announced length", does.whole(does.half), fails(_INVALID)),
        json("JSON cut in the middle, shorter than announced", does.cut_json, fails(_CUT)),
        Scenario(
            "a page of HTML",
            does.whole(lambda _wire, _streamed: b"<html><h1>Log in</h1></html>", "text/html"),
            fails(_INVALID),
            fails(_INVALID),
        ),
        json("gzip that is cut", does.compressed(upto=-20), fails(_CUT)),
        both("gzip that is none", does.whole(lambda *_: b"{}{}{}", None, ("content-encoding", "gzip")), fails(_CUT)),
    ),
    BROKEN: (
        stream("cut between two events", does.events(does.begun, cut=True), breaks()),
        stream("cut in the middle of a line", does.events(does.mid_line, cut=True), breaks()),
        stream("cut in the middle of an event", does.events(does.mid_event, cut=True), breaks()),
        stream("ends without its terminator", does.events(does.begun), breaks()),
        stream("ends in the middle of a line", does.events(does.mid_line), breaks()),
        stream("silent after content", does.silent_after(does.begun), breaks(all_tries=1)),
        stream("HTTP chunks spoiled", does.bad_chunk, breaks()),
        stream("gzip cut", does.cut_compressed, breaks()),
        stream(
            "an error event",
            does.events(does.error_after_content),
            breaks(broken("overloaded_error", "overloaded_error", By.FIRST))._replace(whole_tries=(2, 1)),
        ),
        stream(
            "finished, without `[DONE]` or `message_stop`",
            does.events(lambda wire: wire.events()[:-1]),
            works(),
        ),
        stream(
            "finished, and cut before `[DONE]` or `message_stop`",
            does.events(lambda wire: wire.events()[:-1], cut=True),
            works(),
        ),
        stream("cut after `[DONE]` or `message_stop`", does.events(lambda wire: wire.events(), cut=True), works()),
    ),
    "Odd, and all the same an answer": (
        both(
            "labelled as `text/plain`",
            odd.labelled("text/plain"),
            works(),
        ),
        stream("a stream labelled as `application/json`", does.events(lambda wire: wire.events(), "application/json"), works()),
        both("gzip, unasked", does.compressed(), works()),
        both("an event or a document of 5 MB", does.whole(odd.huge), works()),
        stream("no newline at the end", odd.respelled(bytes.rstrip), works()),
        stream("CR LF", odd.respelled(lambda body: body.replace(b"\n", b"\r\n")), works()),
        stream("CR", odd.respelled(lambda body: body.replace(b"\n", b"\r")), works()),
        both("a byte order mark", odd.respelled(lambda body: b"\xef\xbb\xbf" + body), works()),
        stream("every byte a chunk, letters split", does.events(odd.byte_by_byte), works()),
        stream(
            "an event that is no JSON",
            does.events(odd.between(b'data: {"choices": [{"delta"\n\n', b"event: nothing\ndata: {]\n\n")),
            works(),
        ),
        stream("`id` lines", odd.respelled(odd.with_lines(b"id: 7")), works()),
        stream("comments", odd.respelled(odd.with_lines(b": a comment")), works()),
        stream("comments and pings between", does.events(odd.between(b": one\n\n", b": two\n\n")), works()),
        stream("data in two lines", odd.respelled(odd.in_two_lines), works()),
        stream("no space after the colons", odd.respelled(odd.without_spaces), works()),
        stream("more after its terminator", does.events(odd.and_more), works()),
        json("a stream instead of JSON", odd.the_other, works()),
        stream("JSON instead of a stream", odd.the_other, works()),
        stream("JSON instead of a stream, labelled as one", does.whole(does.document, "text/event-stream"), works()),
        stream(
            "events of the responses format",
            does.events(odd.responses_events),
            works(FIRST._replace(outcome=FIRST.outcome._replace(form="as events of the responses format"))),
            wires=tuple(wire for wire in WIRES if wire is not MESSAGES),
        ),
    ),
}
"""By what goes wrong."""


_BEATS = SECOND.behind_heartbeats()


def _fails_late(name: str, fault: Fault, alone: Expected, tries: int = 1) -> Scenario:
    result = Result(alone.behind_heartbeats(), tries, _BEATS, (tries, 1), _BEATS, (tries, 1), 0)
    return stream(name, fault, result)


BEHIND_HEARTBEATS: tuple[Scenario, ...] = (
    _fails_late("silent", does.silent, own_error(504, "upstream_timeout", "timeout_error")),
    _fails_late("pings or comments only", does.only_pings, own_error(504, "upstream_timeout", "timeout_error")),
    _fails_late("closed without an answer, late", does.late(does.closed(reset=False)), _NO_ANSWER),
    _fails_late(
        "status 500, late",
        does.late(does.status(500, ("server_error", None), "api_error")),
        relayed_error(500, "upstream_status_500", "api_error"),
        tries=2,
    ),
    stream(
        "status 400, late",
        does.late(does.status(400, ("invalid_request_error", "unknown_parameter"), "invalid_request_error")),
        is_passed_on(relayed_error(400, "upstream_status_400", "invalid_request_error").behind_heartbeats()),
    ),
    _fails_late(
        "an error event, late",
        does.late(does.whole(does.errors)),
        relayed_error(529, "upstream_status_529", "overloaded_error"),
        2,
    ),
    stream("well, but late", does.late(odd.well), works(FIRST.behind_heartbeats())),
    stream(
        "a slow drip of content",
        does.slow_drip,
        works(FIRST.behind_heartbeats()),
    ),
    stream(
        "cut after content, late",
        does.late(does.events(does.begun, cut=True)),
        Result(broken().behind_heartbeats(), 1, broken().behind_heartbeats(), (1, 0), _BEATS, (1, 1), 0),
    ),
)
"""What has begun with heartbeats: only streams."""
