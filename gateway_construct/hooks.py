"""The user's hook module: read and checked at synth, without importing it."""

from __future__ import annotations

import ast
import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Token

from function_build.sources import VENDOR, digest_of

MODULE = "gateway_hooks"
"""Name of the module that the gateway calls."""

FUNCTIONS: Mapping[str, tuple[str, ...]] = {"before_request": ("request",), "after_response": ("request", "response")}
"""What the gateway calls in it, and with what."""

_FILE = f"{MODULE}.py"
_MAX_BYTES = 10 * 1024 * 1024
_LEFT_OUT = frozenset({"__pycache__", "cdk.out", "node_modules"})
_COMPILED = frozenset({".so", ".pyd", ".dylib", ".dll"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HookFiles:
    """The files of a hooks directory, read once, so that what is hashed is what is bundled.

    Args:
        contents: by path within the directory, with forward slashes, sorted.
    """

    contents: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents, in hexadecimal: the same on every machine, whatever the files' times and modes."""
        return digest_of(self.contents.items())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> HookFiles:
        """Read and check a hooks directory.

        Args:
            path: of the directory; a relative one is relative to the current directory.

        Raises:
            ValueError: if it is no directory with a hook module, or holds what must not go into the function.
        """
        if isinstance(path, str) and Token.is_unresolved(path):
            raise ValueError("hooks must be known at synth, got a token; give the path of a directory")
        directory = Path(path)
        if not (directory / _FILE).is_file():
            what = f"has no {_FILE}" if directory.is_dir() else "is no directory"
            raise ValueError(
                f"hooks: {str(path)!r} {what}; give the path of a directory with a {_FILE} in it, absolute or relative to the "
                f"current directory, {str(Path.cwd())!r}"
            )
        contents: dict[str, bytes] = {}
        size = 0
        for file in _files(directory):
            size += file.stat().st_size
            if size > _MAX_BYTES:
                raise ValueError(
                    f"hooks: {str(path)!r} holds more than {_MAX_BYTES // 1024 // 1024} MB; give a directory that holds the "
                    "hook module and what it imports, and nothing else"
                )
            contents[file.relative_to(directory).as_posix()] = file.read_bytes()
        for name in sorted({name.partition("/")[0].removesuffix(".py") for name in contents if name.endswith(".py")}):
            _require_findable(name)
        # Those of packages are not read: some carry modules that no Python of today can read, and that nobody imports.
        modules = {name: _parsed(name, data) for name, data in contents.items() if name.endswith(".py") and "/" not in name}
        _require_functions(modules[_FILE])
        return cls(contents=dict(sorted(contents.items())))

    def write(self, directory: Path) -> None:
        """Write the files.

        Args:
            directory: made here.
        """
        for name, data in self.contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _files(directory: Path) -> Iterator[Path]:
    for entry in sorted(directory.iterdir()):
        # What differs from machine to machine, and is nothing that a module imports.
        if entry.name.startswith(".") or entry.name in _LEFT_OUT or entry.suffix in {".pyc", ".pyo"}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        elif not entry.is_file():
            raise ValueError(f"hooks: {str(entry)!r} is neither a file nor a directory of its own; copy what is meant there")
        elif entry.suffix in _COMPILED:
            raise ValueError(f"hooks: {str(entry)!r} is compiled for one kind of machine; only pure Python can be bundled")
        else:
            yield entry


def _require_findable(name: str) -> None:
    whose = "Python" if name in sys.stdlib_module_names else "the gateway"
    if whose == "Python" or name == "lambda_runtime" or (VENDOR / name / "__init__.py").exists():
        raise ValueError(f"hooks: a module {name!r} would never be imported, because {whose} has one of that name; rename it")


def _parsed(name: str, source: bytes) -> ast.Module:
    try:
        return ast.parse(source, name)
    except (SyntaxError, ValueError) as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ValueError(f"hooks: Python {version}, which runs this synth, cannot read {name!r}: {error}") from error


def _require_functions(module: ast.Module) -> None:
    """Check what can be told without running the module; the rest is checked when the function starts."""
    defined: dict[str, ast.stmt] = {name: statement for statement in module.body for name in _names(statement)}
    for name, given in FUNCTIONS.items():
        statement = defined.get(name)
        if statement is None:
            close = difflib.get_close_matches(name, (other for other in defined if not other.startswith("_")), 1, 0.8)
            if close:
                raise ValueError(f"hooks: {_FILE} defines {close[0]!r}, which is never called; did you mean {name!r}?")
        elif isinstance(statement, ast.AsyncFunctionDef):
            raise ValueError(f"hooks: {name} in line {statement.lineno} of {_FILE} is async; hooks are plain functions")
        elif (
            isinstance(statement, ast.FunctionDef)
            and not statement.decorator_list  # which may make anything of it
            and not _takes(statement.args, len(given))
        ):
            raise ValueError(
                f"hooks: {name} in line {statement.lineno} of {_FILE} is called with ({', '.join(given)}) and must take that, "
                f"got ({ast.unparse(statement.args)})"
            )
    if not any(name in defined for name in FUNCTIONS):
        raise ValueError(f"hooks: {_FILE} defines neither {' nor '.join(FUNCTIONS)}; it needs one of them, or both")


def _names(statement: ast.stmt) -> Iterator[str]:
    """What a statement of a module's outermost level defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            yield name


def _takes(arguments: ast.arguments, count: int) -> bool:
    most = len(arguments.posonlyargs) + len(arguments.args)
    least = most - len(arguments.defaults)
    return least <= count and (count <= most or arguments.vararg is not None) and None not in arguments.kw_defaults
