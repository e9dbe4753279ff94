"""Variables for the network, as people have them: what can be read is, and what cannot is named."""

import pytest

from reconciler.novita.http.proxies import is_exempt
from tests.e2e.sandbox import Sandbox, item
from tests.scripted_server import ScriptedServer, scripted_server

PASSWORD = "hunter2/pa#ss@w0rd"


@pytest.fixture
def outside(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose account is on the internet; no test gets there."""
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "https://api.novita.ai")
    sandbox.declare(item("chat"))
    for name in ("no_proxy", "https_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        sandbox.monkeypatch.delenv(name, raising=False)
        sandbox.monkeypatch.delenv(name.upper(), raising=False)
    return sandbox


NO_PROXY = (
    "localhost,::1,fd00:1234::/64",
    "[::1]",
    "[::1]:443, [fd00::1]",
    "127.0.0.1,10.0.0.0/8,fe80::/10",
    "localhost 127.0.0.1 .corp",
    "*.corp,,corp.:8080",
    "http://[::1",
    "a b:c:d,%zz,\u00fc..x",
)


@pytest.mark.parametrize("exempt", NO_PROXY)
def test_no_entry_of_no_proxy_stops_a_command(outside: Sandbox, exempt: str) -> None:
    """The proxy is asked all the same, for none of these names the account."""
    with scripted_server() as proxy:
        outside.monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        outside.monkeypatch.setenv("NO_PROXY", exempt)
        ran = outside.run("doctor")
        assert ran.code == 1
        assert "base_url` is not" not in ran.out + ran.err
        assert proxy.received[0].startswith(b"CONNECT api.novita.ai:443 ")


@pytest.mark.parametrize("exempt", NO_PROXY)
def test_this_machine_is_reached_whatever_it_says(sandbox: Sandbox, exempt: str) -> None:
    """Nothing about proxies or certificates matters to plain HTTP within this machine."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"):
        sandbox.monkeypatch.setenv(name, "http://a:b/c@d:e")
    sandbox.monkeypatch.setenv("NO_PROXY", exempt)
    sandbox.monkeypatch.setenv("SSLKEYLOGFILE", "/nope/x")
    sandbox.monkeypatch.setenv("SSL_CERT_FILE", "/nope/x")
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert "chat" in sandbox.live()


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://me:{PASSWORD}@proxy.corp:3128",
        "http://me:hunter2/x@proxy.corp:3128",
        "http://me:12/hunter2@proxy.corp:3128",
        "http://me:hunter2#x@proxy.corp:3128",
        "http://me:hunter2?x@proxy.corp:3128",
        "me:hunter2@proxy.corp:port",
        "proxy.corp:port",
        "http://proxy.corp:99999",
        "http://proxy.corp:0",
        "http://[::1",
        "http://proxy..corp",
        "ftp://me:hunter2@proxy.corp",
        "socks4://me:hunter2@proxy.corp:1080",
        "socks5://me:hunter2@proxy.corp:1080",
        "socks5h://me:hunter2@proxy.corp",
        "http://",
        "http://proxy.corp\x07:3128",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used(outside: Sandbox, name: str, proxy: str) -> None:
    """The variable is named, its password never, and the base URL is not blamed."""
    outside.monkeypatch.setenv(name, proxy)
    for command in (("plan",), ("plan", "--json"), ("apply", "--auto-approve"), ("doctor",)):
        ran = outside.run(*command)
        said = ran.out + ran.err
        assert ran.code == 1
        assert f"{name} cannot be used: " in said
        assert "hunter2" not in said
        assert "novita.base_url" not in said
    assert outside.plan().codes == ["invalid-environment"]


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        ("http://", "its host is missing"),
        ("http://me:hunter2@:3128", "its host is missing"),
        ("http://[::1", "it is not a URL"),
        ("http://me:hunter2]@[proxy", "it is not a URL"),
        ("proxy.corp:port", "its port is not a number"),
    ],
)
def test_the_part_at_fault_is_named(outside: Sandbox, proxy: str, fault: str) -> None:
    outside.monkeypatch.setenv("HTTPS_PROXY", proxy)
    ran = outside.run("list")
    assert f"HTTPS_PROXY cannot be used: {fault}" in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSLKEYLOGFILE", "/nope/x"),
        ("SSLKEYLOGFILE", "/"),
        ("SSL_CERT_FILE", "/nope/ca.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_DIR", "/nope"),
        ("SSL_CERT_DIR", "/dev/null"),
    ],
)
def test_a_variable_of_tls_that_cannot_be_used(outside: Sandbox, name: str, value: str) -> None:
    """It is named, and nothing else is."""
    outside.monkeypatch.setenv(name, value)
    ran = outside.plan()
    assert (ran.code, ran.codes) == (1, ["invalid-environment"])
    assert f"{name} cannot be used: " in ran.document["problems"][0]["summary"]
    assert "base_url" not in ran.out


@pytest.mark.parametrize("form", ["{}:{}", "http://{}:{}", "http://{}:{}/", "HTTP://me:p%40ss@{}:{}"])
def test_proxies_that_are_used(outside: Sandbox, form: str) -> None:
    """With or without a scheme, a slash or a password whose letters are escaped."""
    with scripted_server() as proxy:
        outside.monkeypatch.setenv("HTTPS_PROXY", form.format("127.0.0.1", proxy.port))
        # a variable that does not matter is not looked at
        outside.monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080/")
        outside.run("doctor")
        assert proxy.received
        assert (b"bWU6cEBzcw==" in proxy.received[0]) == ("me:" in form)


@pytest.mark.parametrize(
    ("host", "port", "exempt"),
    [
        ("api.novita.ai", 443, "*"),
        ("api.novita.ai", 443, "localhost, novita.ai"),
        ("api.novita.ai", 443, ".novita.ai"),
        ("api.novita.ai", 443, "*.NOVITA.ai"),
        ("api.novita.ai.", 443, "api.novita.ai:443"),
        ("api.novita.ai", 443, "https://api.novita.ai"),
        ("10.1.2.3", 443, "10.0.0.0/8"),
        ("fd00:1234::7", 443, "::1 fd00:1234::/64"),
        ("fd00::7", 8443, "[fd00::7]:8443"),
        ("fd00::7", 443, "[fd00::7]"),
    ],
)
def test_hosts_that_are_exempt(host: str, port: int, exempt: str) -> None:
    """By name, domain, network or port, as curl and others read it."""
    assert is_exempt(host, port, exempt)


@pytest.mark.parametrize(
    ("host", "exempt"),
    [
        ("evilnovita.ai", "novita.ai"),
        ("api.novita.ai", "api.novita.ai:8443"),
        ("api.novita.ai", ""),
        ("api.novita.ai", ".,*.,ai.novita"),
        ("10.1.2.3", "fd00::/8,11.0.0.0/8"),
        ("fd00::7", "[fd00::7]:8443"),
    ],
)
def test_hosts_that_are_not_exempt(host: str, exempt: str) -> None:
    assert not is_exempt(host, 443, exempt)


def test_an_exempt_account_is_reached_directly(outside: Sandbox) -> None:
    """No connection to the proxy is made; the host of this test does not exist."""
    with scripted_server() as proxy:
        outside.monkeypatch.setenv("NOVITA_BASE_URL", "https://gone.invalid")
        outside.monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        outside.monkeypatch.setenv("NO_PROXY", ".invalid")
        assert "cannot reach gone.invalid" in outside.run("doctor").out
        assert_quiet(proxy)


def assert_quiet(proxy: ScriptedServer) -> None:
    assert proxy.received == []
