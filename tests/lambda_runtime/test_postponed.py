"""Imports that are postponed: nothing is loaded until something of it is used, and then everything is as it would have been."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from lambda_runtime.postponed import postpone
postpone("idna")
import httpx
def loaded(): return "idna.core" in sys.modules
assert httpx.URL("https://api.example.com/v1").raw_host == b"api.example.com" and not loaded()
assert httpx.URL("https://b\\u00fccher.example/v1").raw_host == b"xn--bcher-kva.example" and loaded()
import idna
assert sys.modules["idna"] is idna and idna.encode("b\\u00fccher") == b"xn--bcher-kva"
try:
    httpx.URL("https://b\\u00fc\\u2028cher.example")
except httpx.InvalidURL:
    print("refused")
"""


def test_idna_is_loaded_by_the_first_host_name_that_needs_it() -> None:
    # In a process of its own: here httpx is imported already.
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("refused\n", "")


def test_a_module_that_is_loaded_stays_as_it_is() -> None:
    program = (
        "import sys, idna\n"
        "from lambda_runtime.postponed import postpone\npostpone('idna')\nassert sys.modules['idna'] is idna\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
