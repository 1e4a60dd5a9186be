"""Every optional argument says what it defaults to, and says so truthfully where it names a value."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import gateway_construct
from gateway_construct import (
    AiGateway,
    AnthropicFederation,
    CustomDomain,
    ModelRoute,
    OpenAiFederation,
    Plan,
    Quota,
    Rotation,
    Target,
    Timeouts,
    Upstream,
    WebAcl,
    Weighted,
)
from tests.gateway_construct.resources import gateway_function, of_type, only

CALLABLES: dict[str, Callable[..., Any]] = {
    "AiGateway": AiGateway,
    "AiGateway.add_consumer": AiGateway.add_consumer,
    "AnthropicFederation": AnthropicFederation,
    "OpenAiFederation": OpenAiFederation,
    "AiGateway.metric_requests": AiGateway.metric_requests,
    "AiGateway.metric_input_tokens": AiGateway.metric_input_tokens,
    "CustomDomain": CustomDomain,
    "ModelRoute": ModelRoute,
    "Plan": Plan,
    "Quota": Quota,
    "Rotation": Rotation,
    "Rotation.openai_admin": Rotation.openai_admin,
    "Rotation.staged": Rotation.staged,
    "Target": Target,
    "Upstream": Upstream,
    "WebAcl": WebAcl,
    "Weighted": Weighted,
    **{
        f"Upstream.{name}": getattr(Upstream, name)
        for kind in Upstream.__mro__
        for name, value in vars(kind).items()
        if isinstance(value, classmethod) and not name.startswith("_")
    },
}
ENTRY = re.compile(r"^(\w+): (.*?)(?=^\w+: |\Z)", re.MULTILINE | re.DOTALL)
DEFAULT = re.compile(r"[Dd]efault: (.*)\Z", re.DOTALL)


def signature(target: Callable[..., Any]) -> inspect.Signature:
    """A construct's own, which the metaclass of all constructs hides."""
    return inspect.signature(target.__init__ if target is AiGateway else target)  # type: ignore[misc]


def documented(target: Callable[..., Any]) -> dict[str, str]:
    """The Args section, by argument, white space made one."""
    text = inspect.getdoc(target) or ""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, "no Args section"
    entries = ENTRY.findall(inspect.cleandoc("\n" + section[1]))
    return {name: " ".join(words.split()) for name, words in entries}


def optional() -> Iterator[Any]:
    for name, target in CALLABLES.items():
        for parameter in signature(target).parameters.values():
            if parameter.default is not inspect.Parameter.empty and parameter.name not in {"version", "upstream"}:
                yield pytest.param(target, parameter, id=f"{name}-{parameter.name}")


@pytest.mark.parametrize(("target", "parameter"), list(optional()))
def test_the_sentence_is_there_and_true(target: Callable[..., Any], parameter: inspect.Parameter) -> None:
    words = documented(target)[parameter.name]
    if words == "see the class.":
        words = (inspect.getdoc(Upstream) or "").replace("\n", " ")
        assert re.search(rf"`{parameter.name}`: .*? Default: ", words)
        return
    if words.startswith("see the class. It"):
        return
    sentence = DEFAULT.search(words)
    assert sentence, f"no 'Default: ...' in {words!r}"
    value = parameter.default
    if isinstance(value, bool | int | float):
        assert sentence[1] in {f"{value}.", f"{value:,}."}
    elif isinstance(value, str) and type(value) is str:
        assert sentence[1] == f'"{value}".'


@pytest.mark.parametrize("target", list(CALLABLES.values()), ids=list(CALLABLES))
def test_every_argument_is_documented_and_exists(target: Callable[..., Any]) -> None:
    names = [name for name in signature(target).parameters if name not in {"self", "options"}]
    assert [name for name in documented(target) if name != "options"] == names


@pytest.mark.template
def test_defaults_that_the_signature_does_not_name(template_of: Callable[[str], Any]) -> None:
    words = documented(AiGateway)
    template = template_of("smallest")
    function = gateway_function(template)
    assert words["timeout"].endswith("Default: 15 minutes.")
    assert function["Timeout"] == 15 * 60
    assert words["architecture"].endswith("Default: `Architecture.ARM_64`, which costs a fifth less.")
    assert function["Architectures"] == ["arm64"]
    assert words["log_retention"].endswith("Default: `RetentionDays.THREE_MONTHS`.")
    assert {group["RetentionInDays"] for group in of_type(template, "Logs::LogGroup").values()} == {90}
    assert words["release"].endswith("Default: `AllAtOnce()`.")
    assert "RoutingConfig" not in only(template, "Lambda::Alias")
    assert words["cors_allow_origins"].endswith('Default: ["*"].')
    assert signature(AiGateway).parameters["cors_allow_origins"].default == ("*",)
    assert words["model_list_ttl"].endswith("Default: 5 minutes.")
    assert words["timeouts"].endswith(
        "Default: 3 to connect, 30 to the first content of a stream, 120 if the model reasons, 60 between two reads, 290 to an "
        "answer that is not streamed, 20 between two heartbeats."
    )
    assert words["table_removal_policy"].endswith("Default: `RemovalPolicy.RETAIN`.")
    (table,) = (resource for resource in template["Resources"].values() if resource["Type"] == "AWS::DynamoDB::Table")
    assert table["DeletionPolicy"] == "Retain"


def test_timeouts_are_as_documented() -> None:
    timeouts = Timeouts()
    assert (timeouts.connect, timeouts.first_content, timeouts.first_content_reasoning) == (3, 30, 120)
    assert (timeouts.idle, timeouts.unstreamed, timeouts.total, timeouts.heartbeat) == (60, 290, None, 20)


def test_public_names() -> None:
    assert sorted(gateway_construct.__all__, key=str.casefold) == sorted(set(gateway_construct.__all__), key=str.casefold)
    for name in gateway_construct.__all__:
        assert getattr(gateway_construct, name).__doc__ or name.isupper()
    public = {
        name for name, value in vars(gateway_construct).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(gateway_construct.__all__)
