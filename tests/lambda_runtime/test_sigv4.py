import datetime as dt
from unittest import mock
from urllib.parse import quote

import botocore.auth
import botocore.credentials
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.sigv4 import Credentials, sign

NOW = dt.datetime(2026, 11, 22, 3, 4, 5, tzinfo=dt.UTC)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=12)
KEY = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
SEGMENT = st.one_of(st.sampled_from(["", ".", "..", "a b", "ü", "%", "*", "~"]), st.text(max_size=6)).map(
    lambda text: quote(text, safe="~"),
)
QUERY = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4).map(
    lambda pairs: "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs),
)


def botocores(  # noqa: PLR0917
    method: str, url: str, headers: dict[str, str], body: bytes, service: str, region: str, keys: Credentials
) -> dict[str, str]:
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    credentials = botocore.credentials.Credentials(keys.access_key, keys.secret_key, keys.token or None)
    signer = botocore.auth.SigV4Auth(credentials, service, region)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    host=st.sampled_from(
        ["secretsmanager.eu-west-1.amazonaws.com", "127.0.0.1:4566", "example.com:443", "example.com:80", "[::1]"]
    ),
    scheme=st.sampled_from(["https", "http"]),
    path=st.lists(SEGMENT, max_size=4).map(lambda segments: "/" + "/".join(segments)),
    query=QUERY,
    headers=st.dictionaries(
        TOKEN.filter(lambda name: name not in {"host", "x-amz-date", "x-amz-security-token", "authorization"}),
        PRINTABLE,
        max_size=5,
    ),
    body=st.binary(max_size=50),
    service=TOKEN,
    region=TOKEN,
    credentials=st.builds(Credentials, KEY, KEY, st.one_of(st.just(""), KEY)),
)
def test_the_signature_is_botocores(  # noqa: PLR0917
    method: str,
    host: str,
    scheme: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    service: str,
    region: str,
    credentials: Credentials,
) -> None:
    url = f"{scheme}://{host}{path}" + (f"?{query}" if query else "")
    ours = sign(method, url, headers, body, service=service, region=region, credentials=credentials, now=NOW)
    theirs = botocores(method, url, headers, body, service, region, credentials)
    assert ours["authorization"] == theirs["authorization"]
    assert ours["x-amz-date"] == theirs["x-amz-date"]
    assert ours.get("x-amz-security-token") == theirs.get("x-amz-security-token")


def test_headers_that_proxies_change_are_sent_but_not_signed() -> None:
    headers = {"User-Agent": "x", "Content-Type": "application/x-amz-json-1.1", "Connection": "close"}
    signed = sign("POST", "https://example.com", headers, b"", service="s", region="r", credentials=Credentials("a", "b"))
    assert headers.items() <= signed.items()
    assert "SignedHeaders=content-type;host;x-amz-date," in signed["authorization"]


def test_signing_again_replaces_the_signature() -> None:
    first = sign(
        "POST", "https://example.com/", {}, b"", service="s", region="r", credentials=Credentials("a", "b", "old"), now=NOW
    )
    again = sign(
        "POST", "https://example.com/", first, b"", service="s", region="r", credentials=Credentials("a", "b", "new"), now=NOW
    )
    fresh = sign(
        "POST", "https://example.com/", {}, b"", service="s", region="r", credentials=Credentials("a", "b", "new"), now=NOW
    )
    assert again == fresh


def test_the_time_of_signing_is_now() -> None:
    signed = sign("GET", "https://example.com/", {}, b"", service="s", region="r", credentials=Credentials("a", "b"))
    at = dt.datetime.strptime(signed["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - at) < dt.timedelta(minutes=1)


def test_credentials_do_not_show_their_secrets() -> None:
    assert repr(Credentials("AKID", "hidden", "hidden too")) == "Credentials(access_key='AKID')"
