"""The hooks directory: what is refused at synth and in which words, what goes into the asset, and what its hash depends on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aws, Stack

from function_build.bytecode import find_function_python
from gateway_construct import AiGateway, Upstream
from gateway_construct.function_asset import asset_hash, stage
from gateway_construct.hooks import MODULE, HookFiles
from lambda_runtime.config import CONFIG_FILE, HOOKS_DIRECTORY, GatewayConfig
from lambda_runtime.hooks import module
from tests.lambda_runtime.gateway_kit import both_formats

HOOK = "def before_request(request):\n    request.log['a'] = 1\n"
CONFIG = GatewayConfig(upstreams=(both_formats("main", "https://example.com"),), hooks=MODULE)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A hooks directory with a module."""
    path = tmp_path / "rules"
    path.mkdir()
    (path / "gateway_hooks.py").write_text(HOOK)
    return path


def problem(directory: Path) -> str:
    with pytest.raises(ValueError) as caught:
        HookFiles.read(directory)
    return str(caught.value)


# What is refused


def test_a_directory_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert problem(Path("nowhere")) == (
        "hooks: 'nowhere' is no directory; give the path of a directory with a gateway_hooks.py in it, absolute or relative to "
        f"the current directory, {str(tmp_path)!r}"
    )
    (tmp_path / "file").touch()
    assert "'file' is no directory" in problem(Path("file"))
    (tmp_path / "empty").mkdir()
    assert "'empty' has no gateway_hooks.py; give the path" in problem(Path("empty"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "gateway_hooks.py defines neither before_request nor after_response; it needs one of them, or both"),
        ("def before_requests(q): ...", "defines 'before_requests', which is never called; did you mean 'before_request'?"),
        (HOOK + "def after_reponse(q, r): 0", "defines 'after_reponse', which is never called; did you mean 'after_response'?"),
        ("\ndef before_request(): ...", "before_request in line 2 of gateway_hooks.py is called with (request) and must take"),
        ("def before_request(a, b): ...", "is called with (request) and must take that, got (a, b)"),
        ("def before_request(a, *, b): ...", "is called with (request) and must take that, got (a, *, b)"),
        ("def after_response(response): ...", "is called with (request, response) and must take that, got (response)"),
        ("async def before_request(request): ...", "in line 1 of gateway_hooks.py is async; hooks are plain functions"),
        ("def before_request(request:", "which runs this synth, cannot read 'gateway_hooks.py': "),
        ("\0", "which runs this synth, cannot read 'gateway_hooks.py': "),
        ("def _before_request(request): ...", "defines neither before_request nor after_response"),
        ("class Rules:\n    def before_request(self): ...", "defines neither before_request nor after_response"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_work_is_refused(directory: Path, source: str, words: str) -> None:
    (directory / "gateway_hooks.py").write_text(source)
    assert words in problem(directory)


@pytest.mark.parametrize(
    "source",
    [
        "def before_request(request, /): ...",
        "def before_request(request, more=1, *, most=2, **rest): ...",
        "def before_request(*arguments): ...",
        "def after_response(request, response): ...",
        "@decorated\ndef before_request(): ...",
        "from rules import before_request",
        "from rules import decide as before_request",
        "before_request = print",
        "before_request: object = print",
        "class before_request: ...",
        "import before_request",
        HOOK + "def before_requests(request): ...",
    ],
)
def test_a_module_that_may_work_is_taken(directory: Path, source: str) -> None:
    (directory / "gateway_hooks.py").write_text(source)
    HookFiles.read(directory)


def test_modules_beside_it_are_read_those_of_packages_are_not(directory: Path) -> None:
    (directory / "package").mkdir()
    (directory / "package" / "for_python_2.py").write_text("print 'hello'")
    HookFiles.read(directory)
    (directory / "rules.py").write_text("print 'hello'")
    assert "cannot read 'rules.py'" in problem(directory)


@pytest.mark.parametrize(
    ("name", "whose"), [("json.py", "Python"), ("email/__init__.py", "Python"), ("httpx.py", "the gateway"),
                        ("lambda_runtime/hooks.py", "the gateway"), ("idna/core.py", "the gateway")],
)  # fmt: skip
def test_a_module_that_would_never_be_imported_is_refused(directory: Path, name: str, whose: str) -> None:
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).touch()
    module_name = name.partition("/")[0].removesuffix(".py")
    assert problem(directory) == (
        f"hooks: a module {module_name!r} would never be imported, because {whose} has one of that name; rename it"
    )


def test_data_may_have_any_name(directory: Path) -> None:
    (directory / "json").mkdir()
    (directory / "json" / "prices.json").write_text("{}")
    assert "json/prices.json" in HookFiles.read(directory).contents


@pytest.mark.parametrize("name", ["fast.cpython-313-x86_64-linux-gnu.so", "fast.pyd", "package/fast.dylib"])
def test_compiled_code_is_refused(directory: Path, name: str) -> None:
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).touch()
    assert "is compiled for one kind of machine; only pure Python can be bundled" in problem(directory)


def test_what_is_no_file_is_refused(directory: Path, tmp_path: Path) -> None:
    (directory / "elsewhere").symlink_to(tmp_path, target_is_directory=True)
    assert "elsewhere' is neither a file nor a directory of its own; copy what is meant there" in problem(directory)
    (directory / "elsewhere").unlink()
    os.mkfifo(directory / "pipe")
    assert "pipe' is neither a file" in problem(directory)
    (directory / "pipe").unlink()
    (directory / "broken").symlink_to(tmp_path / "nothing")
    assert "broken' is neither a file" in problem(directory)


def test_too_much_is_refused(directory: Path) -> None:
    with (directory / "large.bin").open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    assert "holds more than 10 MB; give a directory that holds the hook module and what it imports, and nothing else" in (
        problem(directory)
    )


def test_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="hooks must be known at synth, got a token"):
        HookFiles.read(Aws.REGION)


# What goes into the asset


def test_what_differs_from_machine_to_machine_is_left_out(directory: Path) -> None:
    for name in (
        ".git/config",
        ".env",
        "__pycache__/gateway_hooks.cpython-313.pyc",
        "old.pyc",
        "cdk.out/tree.json",
        "package/.cache/x",
        "package/a.py",
    ):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()
    (directory / "linked.py").symlink_to(directory / "gateway_hooks.py")
    assert list(HookFiles.read(directory).contents) == ["gateway_hooks.py", "linked.py", "package/a.py"]


def test_the_hash_depends_on_names_and_contents_only(directory: Path, tmp_path: Path) -> None:
    def current(path: Path = directory) -> str:
        return asset_hash(CONFIG, HookFiles.read(path))

    first = current()
    os.utime(directory / "gateway_hooks.py", (1, 1))
    (directory / "gateway_hooks.py").chmod(0o755)
    (directory / "__pycache__").mkdir()
    (directory / "__pycache__" / "x.pyc").touch()
    assert current() == first
    assert current(directory.rename(tmp_path / "elsewhere")) == first
    directory = tmp_path / "elsewhere"
    (directory / "gateway_hooks.py").write_text(HOOK + "\n")
    second = current(directory)
    (directory / "data.txt").write_text("1")
    third = current(directory)
    (directory / "data.txt").rename(directory / "other.txt")
    assert len({first, second, third, current(directory), asset_hash(CONFIG)}) == 5


def test_the_asset_holds_the_files_and_their_bytecode(
    directory: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (directory / "package").mkdir()
    (directory / "package" / "for_python_2.py").write_text("print 'hello'")
    (directory / "gateway_hooks.py").chmod(0o400)
    asset = tmp_path / "asset"
    stage(asset, CONFIG, HookFiles.read(directory))
    hooks = asset / HOOKS_DIRECTORY
    assert (hooks / "gateway_hooks.py").read_text() == HOOK
    assert json.loads((asset / CONFIG_FILE).read_text())["hooks"] == "gateway_hooks"
    assert capfd.readouterr().out == ""
    python = find_function_python()
    if python is None:
        assert not list(hooks.rglob("*.pyc"))
        return
    [compiled] = hooks.rglob("*.pyc")
    assert compiled.relative_to(hooks) == Path("__pycache__/gateway_hooks.cpython-313.pyc")
    program = f"import marshal; print(marshal.loads(open({str(compiled)!r}, 'rb').read()[16:]).co_filename)"
    printed = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert printed == "/var/task/hooks/gateway_hooks.py"


def test_without_hooks_there_is_no_directory_of_them(tmp_path: Path) -> None:
    stage(tmp_path / "asset", CONFIG)
    assert not (tmp_path / "asset" / HOOKS_DIRECTORY).exists()


# The prop


@pytest.mark.template
def test_hooks_are_part_of_the_function(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def code_of(**props: Any) -> Path:
        app = App(outdir=str(tmp_path / f"out{len(list(tmp_path.iterdir()))}"))
        AiGateway(Stack(app, "Stack"), "Gateway", upstreams=[Upstream.openai()], **props)
        [code] = [path.parent for path in Path(app.synth().directory).glob(f"asset.*/{CONFIG_FILE}")]
        return code

    monkeypatch.chdir(tmp_path)
    absolute, relative, none = code_of(hooks=directory), code_of(hooks="rules"), code_of()
    assert (absolute / "hooks" / "gateway_hooks.py").read_text() == HOOK
    assert absolute.name == relative.name != none.name
    assert json.loads((absolute / CONFIG_FILE).read_text())["hooks"] == "gateway_hooks"
    assert json.loads((none / CONFIG_FILE).read_text())["hooks"] is None


@pytest.mark.template
def test_mistakes_are_found_at_synth(stack: Stack) -> None:
    with pytest.raises(ValueError, match="hooks: 'nowhere' is no directory"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], hooks="nowhere")


def test_the_construct_and_the_runtime_name_the_same_functions() -> None:
    from gateway_construct.hooks import FUNCTIONS  # noqa: PLC0415

    assert list(FUNCTIONS) == [module.BEFORE, module.AFTER]


def test_reading_runs_nothing_of_the_module(directory: Path) -> None:
    (directory / "gateway_hooks.py").write_text("raise RuntimeError\n" + HOOK)
    HookFiles.read(directory)
    assert "gateway_hooks" not in sys.modules
