"""Asks one candidate after the other until there is an answer for the client.

At most `ATTEMPTS` in all, each upstream at most twice and at most one of them so: the repeat is spent where it leaves an
attempt for every other candidate. A silent upstream is never asked twice, and a time-out after the request was sent, which may
have to be paid for, is followed by one more attempt at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lambda_runtime import log
from lambda_runtime.answer import Answer
from lambda_runtime.attempt import Attempts, Terms
from lambda_runtime.client_request import ClientRequest, Question
from lambda_runtime.config import Timeouts
from lambda_runtime.errors import GatewayError, RequestError, UpstreamsStoppedError
from lambda_runtime.failures import ATTEMPTS, FailedAttempt, Failures
from lambda_runtime.request_log import RequestLog
from lambda_runtime.router import Candidate, Routed
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import TargetStates
from lambda_runtime.turns import SwitchedOffError, Turn, Turns


class ExhaustedError(Exception):
    """Nobody is left to ask.

    Args:
        failure: the last attempt's.
    """

    def __init__(self, failure: FailedAttempt) -> None:
        super().__init__(failure.error.message)
        self.failure = failure


class Failover:
    """Finds an answer for a request.

    Args:
        attempts: asks upstreams.
        states: which of them are well.
        timeouts: how long to wait.
        sleep: waits for a short `Retry-After`. Default: `time.sleep`.
    """

    def __init__(
        self,
        attempts: Attempts,
        states: TargetStates,
        timeouts: Timeouts,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._attempts = attempts
        self._states = states
        self._timeouts = timeouts
        self._sleep = sleep

    def ask(self, request: ClientRequest, routed: Routed, terms: Terms, record: RequestLog) -> tuple[Answer, bool]:
        """Ask until there is an answer.

        Args:
            request: the client's request.
            routed: who may serve it.
            terms: on which terms.
            record: is told of each attempt.

        Returns:
            The answer, and whether it was a half-open upstream's probe.

        Raises:
            ExhaustedError: if nobody is left to ask.
            RequestError: if the request can be expressed in no candidate's format.
            UpstreamsStoppedError: if an operator has stopped all candidates.
            DeadlineError: if our own time is up.
        """
        turns = Turns(routed, self._states)
        failures = Failures()
        inexpressible: RequestError | None = None
        repeated = False
        while True:
            turn = turns.next(failures.last)
            if turn is None:
                raise self._nobody(failures, inexpressible)
            candidate = turn.candidate
            try:
                question = request.question(candidate)
            except RequestError as error:
                inexpressible = error
                turns.pass_over(candidate)
                if turn.probe:
                    record.attempts.append(_ignored(turn))  # the probe is free again
                continue
            record.asked(candidate.upstream.name, candidate.model, routed.name, len(question.content), question.dropped)
            first = request.first_limit(candidate, routed, self._timeouts)
            try:
                answer = self._attempt(turn, turns, question, first, terms=terms, record=record, failures=failures)
            except SwitchedOffError:
                turns.reorder()
            except FailedAttempt as failure:
                turns.failed(candidate, failure)
                if failures.add(failure):
                    raise ExhaustedError(failures.best()) from None
                # What is asked although it is open or only as a probe is not asked again.
                if not (repeated or turn.probe or turn.forced) and self._repeats(failures.tried, failure, turns):
                    repeated = True
                    turns.again(candidate)
            else:
                return answer, turn.probe

    @staticmethod
    def _nobody(failures: Failures, inexpressible: RequestError | None) -> Exception:
        """What to raise when nobody may be asked."""
        if failures.last is not None:
            return ExhaustedError(failures.best())
        return inexpressible or UpstreamsStoppedError("the operator has stopped all upstreams that serve this model")

    def _attempt(
        self,
        turn: Turn,
        turns: Turns,
        question: Question,
        first: float,
        *,
        terms: Terms,
        record: RequestLog,
        failures: Failures,
    ) -> Answer:
        """Ask one candidate, and note how that went."""
        target = turn.candidate.target
        try:
            answer = self._attempts.ask(question, terms, first, lambda: turns.admit(turn))
        except SwitchedOffError:
            raise
        except FailedAttempt as failure:
            record.possibly_billed += failure.billed
            record.attempts.append(Attempted(target, failure.outcome, failure.retry_after, turn.probe))
            _warn(failure, turn.candidate, record)
            raise
        except BaseException:
            failures.close()
            record.attempts.append(_ignored(turn))
            raise
        failures.close()
        return answer

    def _repeats(self, tried: int, failure: FailedAttempt, turns: Turns) -> bool:
        """Whether to ask the same upstream once more. May wait for as long as it asks to, if there is nobody else."""
        if not failure.repeatable:
            return False
        others = turns.closed()
        if failure.outcome is not Outcome.RATE_LIMITED:
            return tried + others < ATTEMPTS
        if others:
            return False
        self._sleep(failure.retry_after or 0.0)
        return True


def _ignored(turn: Turn) -> Attempted:
    """What says nothing about the upstream: our own deadline, a client that is gone."""
    return Attempted(turn.candidate.target, Outcome.IGNORED, probe=turn.probe)


def _warn(failure: FailedAttempt, candidate: Candidate, record: RequestLog) -> None:
    error: GatewayError = failure.error
    if failure.outcome is Outcome.KEY_REFUSED:
        return  # whoever raised it has logged more than could be said here
    log.warning(
        error.message or "the upstream answered with an error",
        upstream=candidate.upstream.name,
        served_model=log.bounded(candidate.model),
        code=error.code,
        request_id=record.request_id,
        cause=log.cause_of(error),
    )
