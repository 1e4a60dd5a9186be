"""Every dependency has its reason in docs/dependencies.md."""

import json
import re
import tomllib

from tests.templates import ROOT

DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def _python() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    lines = [line for group in groups for line in group if isinstance(line, str)]
    lines += (ROOT / "lambda_runtime" / "requirements.in").read_text("utf-8").splitlines()
    for lock in ("requirements-rie.txt", "requirements-fuzz.txt"):
        lines += (ROOT / lock).read_text("utf-8").splitlines()[:1]
    return {match[0] for line in lines if (match := re.match(r"[A-Za-z][A-Za-z0-9._-]*", line))}


def _node() -> set[str]:
    names: set[str] = set()
    for folder in (ROOT, ROOT / "tests" / "contract" / "node"):
        package = json.loads((folder / "package.json").read_text("utf-8"))
        names |= {*package.get("dependencies", {}), *package.get("devDependencies", {})}
    return names


def _documented() -> set[str]:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and not line.startswith("| package")]
    return {name.split(" (")[0].strip() for row in rows for name in row.split("|")[1].split(",")}


def test_every_dependency_has_a_reason_and_no_reason_is_left_over() -> None:
    own = {"ministack", "llmock"}  # each in a lock of its own, in gateway_cli/local
    assert _documented() == _python() | _node() | own
