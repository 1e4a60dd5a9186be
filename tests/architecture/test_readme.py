"""The README's tables are those of the code."""

import inspect
import re

import gateway_construct
from gateway_construct import AiGateway
from tests.templates import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def _section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def _first_column(section: str) -> list[str]:
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([a-z_]+)", cell)]


def test_every_prop_is_listed_in_order() -> None:
    signature = inspect.signature(AiGateway.__init__).parameters
    props = [name for name, parameter in signature.items() if parameter.kind is parameter.KEYWORD_ONLY]
    assert _first_column(_section("Props of `AiGateway`")) == props


def test_every_property_and_method_is_listed() -> None:
    documented = set(_first_column(_section("Properties")))
    classes = [kind for kind in AiGateway.__mro__ if kind.__module__.startswith("gateway_construct.")]
    members = {name for kind in classes for name in vars(kind) if not name.startswith("_")}
    assignments = re.findall(r"self\.([a-z_]+)(?::[^=\n]+)? =", inspect.getsource(AiGateway.__init__))
    assert documented == members | {name for name in assignments if not name.startswith("_")}


def test_every_public_name_of_value_objects_is_mentioned() -> None:
    for name in gateway_construct.__all__:
        assert name in README, name
