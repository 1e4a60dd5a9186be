"""The scan finds what it is for; if it did not, every test that finds nothing would be worth nothing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.security.secret_scan import LOOKS, Leak, SecretScan, by_their_looks

VALUE = "sk-marked/9f8E7d6C5b4A3+2b1C0d/xyz="
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "quoted": lambda value: f"Incorrect key: '{value}'".encode(),
    "cut": lambda value: value[:20].encode(),
    "cut at its beginning": lambda value: value[-15:].encode(),
    "starred": lambda value: f"{value[:13]}****{value[-2:]}".encode(),
    "base64": lambda value: base64.b64encode(f"Bearer {value}".encode()),
    "base64, another alignment": lambda value: base64.b64encode(f"user:{value}\n".encode()),
    "base64, a third": lambda value: base64.urlsafe_b64encode(f"u:{value}".encode()),
    "hexadecimal": lambda value: value.encode().hex().encode(),
    "percent": lambda value: quote(value, safe="").encode(),
    "JSON with slashes": lambda value: json.dumps({"a": value}).replace("/", "\\/").encode(),
    "JSON in escapes": lambda value: "".join(f"\\u{ord(c):04x}" for c in value).encode(),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"a": f'"{value}"'})).encode(),
    "lines": lambda value: "\n".join(value[at : at + 5] for at in range(0, len(value), 5)).encode(),
    "a program's pieces": lambda value: f"'{value[:9]}' + \"{value[9:18]}\",\n \"{value[18:27]}\" '{value[27:]}'".encode(),
    "a shell's lines": lambda value: f"{value[:11]}\\\n{value[11:22]}\\\n{value[22:]}".encode(),
    "characters": lambda value: ", ".join(value).encode(),
    "UTF-16": lambda value: value.encode("utf-16"),
    "backwards": lambda value: value[::-1].encode(),
    "gzip": lambda value: gzip.compress(b"x" * 1000 + value.encode()),
    "an archive in an archive": lambda value: zipped("inner.zip", zipped("a.txt", value.encode())),
    "a name in an archive": lambda value: zipped(value.replace("/", "_")[10:25] + ".txt", b""),
}


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found(form: str) -> None:
    data = FORMS[form](VALUE)
    leaks = SecretScan({"key": VALUE, "other": "something-else-0123456789"}).leaks("a file", data)
    assert {leak.secret for leak in leaks} == {"key"}
    assert all(VALUE not in str(leak) for leak in leaks)


def test_what_only_looks_like_it_is_not_found() -> None:
    text = f"sk-marked sk-other {VALUE[:11]} {VALUE[-11:]} " + base64.b64encode(b"sk-marked/other").decode()
    assert SecretScan({"key": VALUE}).leaks("a file", text) == []


def test_files_and_their_names_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "clean").write_text("nothing")
    (tmp_path / "below" / "a-marked-name-1234").write_bytes(b"\xff")
    (tmp_path / "log").write_text(f"key {VALUE}")
    scan = SecretScan({"key": VALUE, "name": "marked-name-1234"})
    assert {(Path(leak.where).name[-6:], leak.secret) for leak in scan.leaks_below(tmp_path)} == {
        ("log", "key"),
        ("e-1234", "name"),
    }


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="12"):
        SecretScan({"key": "short"})


EXAMPLES = {
    "a key of OpenAI's": ["sk-proj-" + "aB3_" * 12, "sk-" + "aB3d" * 12, "sk-admin-" + "a-B3" * 12],
    "a key of Anthropic's": ["sk-ant-api03-" + "aB3_" * 20, "sk-ant-oat01-" + "aB3-" * 20],
    "an access key of AWS's": ["AKIA" + "2345ABCDEFGHIJKL", "ASIA" + "2345ABCDEFGHIJKL"],
    "a key of Google's": ["AIza" + "aB3_d" * 7],
    "a token of GitHub's": ["ghp_" + "aB3d" * 9, "github_pat_" + "aB3_" * 16],
    "a token of Slack's": ["xoxb-" + "1234-" * 5 + "abcd"],
    "a private key": [
        "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIE" * 10,
        "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIE" * 10,
    ],
    "a signed token": [".".join(["ey" + "J" + "hbGciOi" * 4, "ey" + "J" + "zdWIiOi" * 4, "c2lnbmF0dXJl" * 3])],
}


@pytest.mark.parametrize("what", LOOKS)
def test_real_secrets_are_known_by_their_looks(what: str) -> None:
    for example in EXAMPLES[what]:
        assert Leak("a file", what, "plain") in by_their_looks("a file", f"x = '{example}'\n".encode())
        assert by_their_looks("a zip", zipped("a.py", example.encode()))[0].where == "a zip!a.py"


def test_what_tests_and_documents_use_is_no_real_secret() -> None:
    for text in (
        "sk-upstream-5e4d3c2b1a-VERYSECRET",
        "AKIAIOSFODNN7" + "EXAMPLE",
        "sk-...",
        "-----BEGIN PRIVATE KEY-----",
        "aws-sk-x",
    ):
        assert by_their_looks("a file", text.encode()) == []
