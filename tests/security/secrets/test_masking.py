"""A secret that a server repeats is masked in whichever spelling, once, and nothing else is."""

import base64
import html
import json
import shlex
import subprocess
import time
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.main import run as run_command
from reconciler.novita.http.masking import Secrets
from tests.e2e.sandbox import KEY, Sandbox, item
from tests.response_proxy import CannedResponse, ResponseProxy, response_proxy
from tests.scripted_server import scripted_server

MASK = "(sensitive value)"
SECRETS = (
    "tok+en/with=odd&chars\\and\"quo'tes<0123>",
    "pa ss\u00e9wörd-\u0416-plus+",
    "sk_live_abcdef123456",
)


def u(text: str) -> str:
    """Every character as JSON may escape it."""
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04X}" for at in range(0, len(units), 2))


def in_base64(text: str, before: bytes, *, url: bool = False, padded: bool = True) -> str:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    found = encode(before + text.encode() + b" and more").decode()
    return found if padded else found.rstrip("=")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "upper case": str.upper,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json, slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json, every character": u,
    "json, some characters": lambda text: "".join(
        u(c) if number % 3 or c in '\\"' else c for number, c in enumerate(text)
    ),
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "url": lambda text: quote(text, safe=""),
    "url, lower hex": lambda text: "".join(
        c if c.isalnum() and c.isascii() else quote(c, safe="").lower() for c in text
    ),
    "url, plus": quote_plus,
    "url, every byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "url twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json in an url": lambda text: quote(json.dumps(text), safe=""),
    "html": html.escape,
    "html, decimal": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "html, hex": lambda text: "".join(f"&#x{ord(c):X};" for c in text),
    "html, zeros": lambda text: "".join(f"&#{ord(c):06};" for c in text),
    "html in json": lambda text: json.dumps(html.escape(text))[1:-1],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "hex with colons": lambda text: text.encode().hex(":"),
    "\\x": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode("latin-1", "ignore")),
    "repr": lambda text: repr(text.encode())[2:-1],
    "shell": shlex.quote,
    "shell, double": lambda text: '"' + "".join(f"\\{c}" if c in '"\\$`' else c for c in text) + '"',
    "shell, backslashes": lambda text: "".join(c if c.isalnum() else f"\\{c}" for c in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "compatible": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "line by line in base64": lambda text: base64.encodebytes(b"x" * 50 + text.encode()).decode(),
    "at the end of the text": lambda text: text[:-3],
}
for skew in range(3):
    for is_url in (False, True):
        for is_padded in (False, True):
            SPELLINGS[f"base64 {skew} {is_url} {is_padded}"] = (
                lambda text, n=skew, u=is_url, p=is_padded: (  # type: ignore[misc]
                    in_base64(text, b"user:"[:n], url=u, padded=p)
                )
            )


def leaks(secret: str, spelled: str, masked: str) -> bool:
    """Whether six characters in a row of the secret, or of its spelling, are left."""
    words = (secret, spelled)
    return any(word[at : at + 6] in masked for word in words for at in range(max(len(word) - 5, 1)))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS, ids=["odd", "foreign", "plain"])
def test_each_spelling_is_masked_once(secret: str, spelling: str) -> None:
    """The words around it stay, and there is one mask."""
    if spelling == "octal" and not secret.isascii():
        pytest.skip("octal escapes are bytes")
    spelled = SPELLINGS[spelling](secret)
    secrets = Secrets([KEY, *SECRETS])
    text = f"bad value: {spelled}" + (" is no number" if spelling != "at the end of the text" else "")
    masked = secrets.masked(text)
    assert not leaks(secret, spelled, masked), masked
    assert masked.count(MASK) == 1, masked
    assert masked.replace("'", "").startswith("bad value: ")
    assert secrets.masked(masked) == masked


def test_short_values_are_whole_words() -> None:
    """A short one inside of a word is no secret, beside punctuation it is."""
    secrets = Secrets(["us", "a", "1234", "on"])
    said = "cluster us-dallas-nas-2 was busy: us, (a) pin=1234 12345 a_b /on/ status"
    expected = "cluster us-dallas-nas-2 was busy: #, (#) pin=# 12345 a_b /#/ status".replace("#", MASK)
    assert secrets.masked(said) == expected


@pytest.mark.parametrize(
    "value", ["sensitive value", "value", "sensitive", "(sens", "ive va", "env:HF", "HF_TOKEN", "env"]
)
def test_no_mask_of_a_mask_or_of_a_reference(value: str) -> None:
    """Whatever a secret is called, the mask and a reference stay as they are."""
    said = "Bearer (sensitive value) from ${env:HF_TOKEN} and ${file:HF_TOKEN}"
    assert Secrets([value, "other-secret"]).masked(said) == said
    assert Secrets([value]).masked("(sensitive value)(sensitive value)") == MASK * 2


def test_secrets_that_overlap_are_one_mask() -> None:
    """The longest reaches furthest, and what touches is one."""
    secrets = Secrets(["abcdefgh", "efghijkl", "abcdef", "abcdefghijklmn"])
    assert secrets.masked("x abcdefghijkl y") == f"x {MASK} y"
    assert secrets.masked("x abcdefghijklmn y") == f"x {MASK} y"
    assert secrets.masked("x abcdefabcdef y") == f"x {MASK} y"


def test_a_text_may_end_with_the_beginning_of_a_longer_secret() -> None:
    """The shorter one is masked, and no further than the text goes."""
    secrets = Secrets(["abcdef", "abcdefghijklmn"])
    assert secrets.masked("x abcdef") == f"x {MASK}"
    assert secrets.masked("x abcdefg") == f"x {MASK}g"


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\u2028", "\u3000"])
def test_spaces_of_other_scripts_stand_beside_digits_and_are_none(space: str) -> None:
    """What only looks like base64 or hexadecimal that is broken over lines is left as it is."""
    for digits in ("abcd" * 4, "0123" * 4):
        text = f"{digits}{space}{digits}"
        assert Secrets(["a-secret-of-some-length"]).masked(text) == text


def test_lines_of_a_secret_are_secrets() -> None:
    """A key in PEM form is repeated line by line."""
    pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJ\n-----END KEY-----\n"
    masked = Secrets([pem]).masked("cannot parse MIIEvQIBADANBgkqhkiG9w0BAQEF here")
    assert masked == f"cannot parse {MASK} here"


@pytest.mark.parametrize("empty", ["", " ", "\n", "\t \n"])
def test_nothing_is_no_secret(empty: str) -> None:
    assert Secrets([empty]).masked("a b  c") == "a b  c"


def test_time_grows_with_the_text_alone() -> None:
    """Ten thousand secrets with one beginning, and texts made to be slow."""
    secrets = Secrets(f"sk_live_{number:032x}" for number in range(10_000))
    for text in (
        "sk_live_" * 500,
        "%73" * 1300,
        "\\u0073" * 700,
        "&#115;" * 700,
        "\\" * 4000,
        "%25" * 1300,
        "ab " * 1300,
        "a:" * 2000,
        "&amp;" * 800,
        "&" * 4000,
    ):
        began = time.perf_counter()
        secrets.masked(text)
        assert time.perf_counter() - began < 1.0, text[:20]


PIECES = ("%73", "\\u0073", "\\ud800", "&#x1f;", "&#55296;", "&amp", "\\x", "\\U00110000", "\\U00", "\\", "%")
PIECES += (
    "+",
    "'\\''",
    "c2Vj",
    "7365:63",
    "secret",
    "=",
    MASK,
    "${env:A}",
    "\ud800",
    "e\u0301",
    "\u0130",
    " ",
)


@given(
    st.lists(st.text(max_size=12)),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4)).map("".join),
)
def test_no_text_is_too_odd(values: list[str], text: str) -> None:
    """Whatever stands in it, a text is masked and never an error of its own."""
    assert "the-secret-value" not in Secrets([*values, "the-secret-value"]).masked(f"{text} the-secret-value")


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[ResponseProxy]:
    """A relay in front of the account, and secrets of every kind."""
    sandbox.monkeypatch.setenv("TOKEN", SECRETS[0])
    sandbox.monkeypatch.setenv("OTHER", "the-secret-of-another-endpoint")
    sandbox.monkeypatch.setenv("REGION", "us")
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978")
    with response_proxy(sandbox.sim.url) as found:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", found.url)
        yield found


@pytest.mark.parametrize("call", ["create", "endpoints", "limit"])
def test_all_that_a_run_knows_is_masked_everywhere(sandbox: Sandbox, proxy: ResponseProxy, call: str) -> None:
    """The keys, this endpoint's values, another one's, and a live one: in the text, -v, JSON and reports."""
    state_key = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"
    sandbox.sim.world.console_create(name="alien", envs=[{"key": "K", "value": "somebody-elses-live-value"}])
    sandbox.declare(
        item("chat", env={"T": "x ${env:TOKEN} y", "R": "${env:REGION}"}),
        item("b", env={"O": "${env:OTHER}"}),
    )
    hidden = [KEY, state_key, SECRETS[0], "the-secret-of-another-endpoint"]
    hidden += ["somebody-elses-live-value"] if call == "create" else []
    reports = [
        word for kind in ("json", "markdown", "html", "junit") for word in (f"--{kind}-into", f"r/{kind}")
    ]
    for secret in hidden:
        for spell in (
            str,
            lambda text: base64.b64encode(text.encode()).decode(),
            lambda text: quote(text, safe=""),
        ):
            words = f"cluster us-dallas: {spell(secret)} is refused"
            body = json.dumps({"code": 400, "reason": "VALIDATOR_PARAM", "message": words}).encode()
            proxy.canned[call] = CannedResponse(status=400, body=body)
            command = ("plan",) if call != "create" else ("apply", "--auto-approve")
            for option in ("-v", "--json"):
                ran = sandbox.run(*command, option, *reports)
                said = [ran.out, ran.err, *((sandbox.root / name).read_text() for name in reports[1::2])]
                for text in said:
                    assert secret not in text
                    assert spell(secret) not in text
                assert not [text for text in said if "cl(sens" in text or "((sens" in text], (secret, spell)
                if option == "-v":
                    assert "cluster us-dallas" in ran.out + ran.err


def test_a_fault_of_ours_is_told_without_secrets(sandbox: Sandbox) -> None:
    """`-v` shows where it happened, not with which token."""
    sandbox.monkeypatch.setenv("HF_TOKEN", SECRETS[2])
    sandbox.declare(item("chat", env={"T": "${env:HF_TOKEN}"}))
    sandbox.monkeypatch.setattr(
        "reconciler.reports.run.text.plan_text", lambda *_, **__: 1 / int(f"{SECRETS[2]}/{KEY}")
    )
    ran = sandbox.run("plan")
    assert "has a bug: ValueError" in ran.err
    run_command(["plan", "-v"])
    said = sandbox.capsys.readouterr()
    assert "Traceback" in said.err
    assert MASK in said.err
    for text in (said.out + said.err, ran.out + ran.err):
        assert SECRETS[2] not in text
        assert KEY not in text


def test_the_password_of_a_proxy_is_not_repeated(sandbox: Sandbox) -> None:
    """A proxy that quotes what it was sent does not get it printed."""

    def talk(connection: Any, _over: Any) -> None:
        words = b"me:s3cr3t-pass is refused, as is bWU6czNjcjN0LXBhc3M="
        connection.sendall(b"HTTP/1.1 407 %s\r\nContent-Length: 0\r\n\r\n" % words)

    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "https://api.novita.ai")
    with scripted_server(talk) as proxy:
        sandbox.monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cr3t-pass@127.0.0.1:{proxy.port}")
        said = sandbox.run("doctor", "-v")
    assert "407" in said.out
    assert "s3cr3t-pass" not in said.out + said.err
    assert "bWU6czNjcjN0LXBhc3M=" not in said.out + said.err


@pytest.mark.parametrize(
    "command", ["status", "get chat", "list", "watch chat", "plan -v", "apply --wait 1s"]
)
def test_a_worker_that_tells_its_token_is_masked(
    sandbox: Sandbox, proxy: ResponseProxy, command: str
) -> None:
    """What an endpoint or a worker says of its state is foreign text as well."""
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}))
    sandbox.apply()
    words = f"exit 1: bad token {SECRETS[0]} in {base64.b64encode(SECRETS[0].encode()).decode()}"

    def fail(one: dict[str, Any]) -> None:
        state = {"state": "failed", "error": words, "message": words}
        one.update(state=state, workers=[{"id": "w", "state": state, "healthy": False}])

    found = sandbox.sim.world.endpoints[0]
    sandbox.sim.world.edit(str(found["id"]), fail)
    shown = json.loads(json.dumps({"endpoints": [dict(found)], "total": 1}))
    fail(shown["endpoints"][0])
    proxy.canned["endpoints"] = CannedResponse(body=json.dumps(shown).encode())
    proxy.canned["endpoint"] = CannedResponse(body=json.dumps({"endpoint": shown["endpoints"][0]}).encode())
    process = sandbox.start(*command.split())
    try:
        out, err = process.communicate(timeout=2 if command.startswith("watch") else 30)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    assert SECRETS[0] not in out + err
    assert base64.b64encode(SECRETS[0].encode()).decode()[:30] not in out + err
    if command in ("status", "get chat"):
        assert "bad token (sensitive value)" in " ".join((out + err).split())
