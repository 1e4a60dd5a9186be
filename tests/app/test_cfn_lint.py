from __future__ import annotations

import json

import pytest
import yaml
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.templates import NAMES, ROOT, template_of

pytestmark = pytest.mark.template

IGNORED = yaml.safe_load((ROOT / ".cfnlintrc").read_text())["ignore_checks"]


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    # The Region is written out, because it would otherwise be that of whoever runs the tests.
    arguments = ManualArgs(regions=["eu-central-1"], ignore_checks=IGNORED)
    assert [str(match) for match in lint(json.dumps(template_of(name)), config=arguments)] == []
