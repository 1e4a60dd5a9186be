from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.configurations import CONFIGURATIONS

pytestmark = pytest.mark.template

# The CDK writes DependsOn for a role that is referred to anyway.
IGNORED = "W3005"


def test_templates_are_valid(template_of: Callable[[str], Any], tmp_path: Path) -> None:
    files = []
    for name in CONFIGURATIONS:
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(template_of(name)), "utf-8")
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", IGNORED, "--", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
