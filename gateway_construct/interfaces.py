"""Whether a value is what a prop asks for, where the CDK has an interface only."""

from __future__ import annotations


def offers(value: object, attribute: str) -> bool:
    """Whether a value is an object with the attribute by which one of the CDK's interfaces is known.

    `isinstance` cannot tell: what implements an interface may be made in JavaScript, and then its class says nothing in Python.

    Args:
        value: what the user has given. A class is no object, though it has the attribute.
        attribute: name of the attribute, for example "topic_arn".
    """
    return not isinstance(value, type) and hasattr(value, attribute)
