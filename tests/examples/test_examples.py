from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.templates import ROOT, synthesize

pytestmark = pytest.mark.template

APPS = sorted(path for path in (ROOT / "examples").rglob("*.py") if "app.synth()" in path.read_text())


@pytest.fixture(scope="module", params=APPS, ids=lambda path: str(path.relative_to(ROOT / "examples")))
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every stack of an example by its name, and the example's text as ''."""
    outdir = tmp_path_factory.mktemp("cdk.out")
    synthesize([str(request.param)], outdir)
    found = {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in outdir.glob("*.template.json")}
    return {"": request.param.read_text(), **found}


def test_there_is_one_for_each_documented_use() -> None:
    assert [str(path.relative_to(ROOT / "examples")) for path in APPS] == [
        "budgets.py",
        "embedded_in_another_stack/search_app.py",
        "hooks/hooks_app.py",
        "smallest.py",
        "two_gateways.py",
    ]


def test_example_has_a_gateway_that_somebody_may_call(templates: dict[str, Any]) -> None:
    text = templates.pop("")
    assert templates
    for name, template in templates.items():
        kinds = [resource["Type"] for resource in template["Resources"].values()]
        assert kinds.count("AWS::ApiGateway::RestApi") == 1, name
        assert "AWS::ApiGateway::UsagePlanKey" in kinds, name
    # The command in the docstring is the one that was run.
    [command] = re.findall(r'^cdk synth --app "python3 (\S+)"$', text, re.MULTILINE)
    assert Path(ROOT, command).read_text() == text
