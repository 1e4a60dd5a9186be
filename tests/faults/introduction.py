"""What docs/reliability.md says before its tables. Every figure in it is the code's."""

from __future__ import annotations

from lambda_runtime.config import Timeouts
from lambda_runtime.failures import ATTEMPTS, SHORT_WAIT
from lambda_runtime.invocation import STOP_BEFORE_DEADLINE
from lambda_runtime.secure_answer import HOLD_LIMIT
from lambda_runtime.state import breaker, cooling, window
from lambda_runtime.state.state_reader import GRACE, STATE_MAX_AGE
from lambda_runtime.streams.sse import MAX_EVENT
from tests.faults.rig import SHORT
from tests.faults.upstream_faults import HEARTBEAT

_USUAL = Timeouts()
_MB = 1024 * 1024

_LIMITS = (
    ("", "default", "in this run"),
    ("---", "---", "---"),
    ("to connect", f"{_USUAL.connect:g} s", f"{SHORT.connect:g} s"),
    (
        "to a stream's first content, whatever comes before it",
        f"{_USUAL.first_content:g} s, {_USUAL.first_content_reasoning:g} s for models that reason, or the route's own",
        f"{SHORT.first_content:g} s",
    ),
    ("between two reads after it", f"{_USUAL.idle:g} s", f"{SHORT.idle:g} s"),
    ("to the end of an answer that is not streamed", f"{_USUAL.unstreamed:g} s", f"{SHORT.unstreamed:g} s"),
    ("the whole request", f"{STOP_BEFORE_DEADLINE:g} s before the function's own time-out", "the same"),
    (
        "heartbeats, in streams only",
        f"after {_USUAL.heartbeat:g} s of silence",
        f"the same; {HEARTBEAT:g} s in the last table",
    ),
)
_TABLE = "\n".join("| " + " | ".join(cells) + " |" for cells in _LIMITS)

INTRODUCTION = f"""# Reliability

What a client sees when an upstream fails: first what is guaranteed, in words, then every fault that we know of, as it
was run. Written by `make faults`; a test holds the tables, but for the times, to what the tests demand of each fault.
Why it is so: [ADR 10](adr/0010-failover.md), [ADR 9](adr/0009-heartbeats-without-a-thread.md).

## Before the first content

Nothing is sent to the client until there is something of the answer: the first content event of a stream, the whole
document otherwise. Until then another upstream of the route may take over, and the client does not notice. Roles,
`message_start` and pings are no content.

- **What is made good**: a connection that is refused, reset or not made in time; silence; status 402, 408, 429, 5xx,
  a redirect; the gateway's own key refused; an error under status 200, as an event or as JSON; an answer that is
  empty, cut, or is none (HTML).
- **What is not**: status 400, 403 about the model, 404, 413, 422, a refusal by a content filter. They are the
  request's fault, and the client gets the upstream's words. A request that is too long goes on to targets marked
  `larger_context=True`, to nobody else.
- **Attempts**: {ATTEMPTS} in all, one upstream twice at most, and only if an attempt stays for every other target.
  Repeated are a refused connection, 500, 502, 503, 504, 529, and a 429 that asks for {SHORT_WAIT:g} s or less if
  nobody else can be asked at once. A silent upstream is never asked twice, nor for another model; since it may charge
  for what it was sent, one more upstream is asked, and no third.
- **Nobody left**: the client gets the last upstream's status, words and `Retry-After`, or else an error of ours in
  its format, with `x-should-retry: false`. The SDKs obey that; without it each of their attempts would be {ATTEMPTS}
  of ours. An empty answer is passed on if nobody has a better one.
- An answer that comes the other way than it was asked for, a stream instead of JSON or JSON instead of a stream, is
  made into what was asked for.

## After it

Nothing is repeated and nothing is put together of two answers. A stream that breaks ends with an error event in the
client's format (code `upstream_stream_interrupted`, type `api_error`) and without `[DONE]` or `message_stop`, so that
both SDK families raise. A stream that said why it stopped is complete, and gets the `[DONE]` or `message_stop` that
it lacks. An event that is no JSON is dropped and counted in the log. Half an event is never passed on.

`ModelRoute([...], delivery="whole")` holds a stream until it is complete, so that a break in its middle is made good
as well. Its price: the first token comes with the last, behind heartbeats, and a failed attempt has been paid for to
where it broke. Answers over {HOLD_LIMIT // _MB} MB flow from there on as they come. With `client_delivery=True` a
client may ask for it by `x-ai-gateway-delivery: whole`.

## Time-outs and heartbeats

{_TABLE}

A heartbeat is a comment in OpenAI's format, a `ping` in Anthropic's, and stands between two events. One that is due
before the first content commits the client to a stream with status 200, but to no upstream: failover goes on behind
it, and an error can only be an event then.

## Circuit breaker

All function instances count in one table what each upstream's model does, and leave out what is down:

- It **opens** after {window.MAX_ROW} failures in a row, or if of at least {window.MIN_CALLS} calls within
  {window.BUCKET * window.BUCKETS} s at least {window.MIN_FAILURES} and more than {window.MAX_PERCENT} % failed; for
  the whole upstream if that refuses the gateway's key, fetched anew.
- **Failures** are connect errors, time-outs, 408, 5xx, error events, answers that are empty or cut. 400, 404, 413,
  422, content filters and clients that go away count for nothing. A 429 leaves the model alone for its `Retry-After`,
  {cooling.SECONDS:g} s if it has none, {cooling.LONGEST:g} s at most.
- It stays open for {breaker.OPEN_SECONDS:g} s, longer each time up to {breaker.LONGEST_OPEN:g} s,
  ±{breaker.JITTER:.0%}. Then one request at a time tries; {breaker.PROBES_TO_CLOSE} that succeed close it, one that
  fails reopens it.
- If all are open, the one that has rested longest is asked. What the operator has stopped (`ai-gateway upstreams
  open`) is asked by nobody.
- The state is read beside the connect, at most every {STATE_MAX_AGE:g} s, waited for {GRACE * 1000:g} ms at most, and
  written when the client has its answer. If the table cannot be reached, what was known holds for 5 minutes at most;
  then, as without table, everything counts as closed.

## What is never done

No answer that was cut looks complete. No content is repeated after the client has seen some. No upstream's key, and
no client's, is passed on. No redirect is followed. No event is longer than {MAX_EVENT // _MB} MB. No request is sent
to an upstream that the route does not name.

## The run

Each row is one request, to the function as Lambda runs it, with real sockets on loopback; *tries* are requests that
the upstream with the fault was sent, with a second one: and those to the healthy one. *Alone* there is only the
upstream with the fault. Two figures with a stroke are those of chat completions and messages. Times are of one run,
to the end of the answer, and mostly of the time-outs above. In the last column four upstreams have the fault.

Run as well, and the same wherever a second upstream helps: a second one that speaks only the other format, so that
the answer is translated.
"""
