"""Parts of an upstream's configuration, checked with the user's words."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Token

from lambda_runtime.config import AuthStyle, Endpoint, Operation, WireFormat


def endpoint(base_url: str, auth: AuthStyle, operations: Sequence[Operation]) -> Endpoint:
    """An address that is written out.

    Raises:
        ValueError: if it is a token, or none.
    """
    if Token.is_unresolved(base_url):
        raise ValueError("base_url must be known at synth, got a token; it is part of the function's code, so write it out")
    return Endpoint(base_url=base_url, auth=auth, operations=tuple(operations))


def require_format(where: str, operations: Sequence[Operation], wire_format: WireFormat, *, instead: str) -> None:
    """An upstream of a format serves operations of that format.

    Raises:
        ValueError: if all of them are of the other; it names the method to use instead.
    """
    # A mix of both formats is refused by the endpoint, with its own words.
    if operations and all(operation.wire_format is not wire_format for operation in operations):
        raise ValueError(f"{where}: the operations {[str(o) for o in operations]} are of the other wire format; use {instead}")


def prefixes(upstream: str, given: Sequence[str]) -> tuple[str, ...]:
    """What names of models begin with.

    Raises:
        ValueError: if it is not a list, or one of them is a token or empty.
    """
    if isinstance(given, str):
        # A string is a sequence of strings, too: each letter would be taken for a prefix.
        raise ValueError(  # noqa: TRY004
            f"upstream {upstream!r}: model_prefixes must be a list, got the string {given!r}; write [{given!r}]"
        )
    for prefix in given:
        if Token.is_unresolved(prefix):
            raise ValueError(f"upstream {upstream!r}: model_prefixes must be known at synth, got a token; write them out")
        if not prefix:
            raise ValueError(f"upstream {upstream!r}: a prefix must not be empty; no prefix at all stands for any model")
    return tuple(given)
