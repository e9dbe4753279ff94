"""The API key goes to Novita, to this machine, or to a host that the environment names; never to a file's."""

from collections.abc import Iterator

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.scripted_server import ScriptedServer, scripted_server

COMMANDS = (
    "validate",
    "plan",
    "plan --json",
    "preview",
    "apply --auto-approve",
    "destroy --auto-approve",
    "drift",
    "import --all --out new.yaml",
    "list",
    "get chat",
    "status",
    "cost",
    "scale chat 2 --auto-approve",
    "deploy hand --image ubuntu:22.04 --spec small --auto-approve",
    "delete chat --auto-approve",
    "watch",
    "doctor",
)
HOSTILE = (
    "https://evil.example",
    "https://EVIL.example:8443/novita/",
    "https://novita.ai.evil.example",
    "https://evilnovita.ai",
    "https://xnovita.ai.",
    "https://xn--nvita-8ve.ai",
    "https://10.0.0.8",
    "https://[2001:db8::1]",
    "https://[::ffff:10.0.0.8]",
    "https://evil.example/?.novita.ai",
    "https://evil.example#.novita.ai",
    "https://api.novita.ai@evil.example",
    "https://evil.example\\.novita.ai",
    "https://n\u043evita.ai",
    "https://novita\u3002ai",
    "https://2130706433",
    "https://0x7f.1",
    "https://localhost.evil.example",
    "https://api.novita.ai%2eevil.example",
)


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[ScriptedServer]:
    """All that leaves this machine would come by here."""
    sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
    sandbox.declare(item("chat"))
    with scripted_server() as found:
        sandbox.monkeypatch.setenv("HTTPS_PROXY", found.url)
        yield found


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_talks_to_a_host_of_the_file(
    sandbox: Sandbox, proxy: ScriptedServer, command: str
) -> None:
    """Each ends with 1, the place in the file and the complete way out, and has connected to nobody."""
    sandbox.write("config.yaml", 'novita:\n  enabled: true\n  base_url: "https://evil.example"\n')
    ran = sandbox.run(*command.split())
    said = ran.out + ran.err
    assert ran.code == 1, said
    assert "evil.example" in said
    assert "config.yaml" in said
    assert "3:13" in said or '"line": 3' in said
    assert "export RECONCILER_TRUSTED_HOSTS=evil.example" in said
    assert proxy.received == []


def test_the_problem_has_a_code(sandbox: Sandbox, proxy: ScriptedServer) -> None:
    """Programs find it in the document of a plan."""
    sandbox.write("config.yaml", {"novita": {"base_url": "https://evil.example"}})
    assert sandbox.plan().codes == ["untrusted-host"]
    assert proxy.received == []


@pytest.mark.parametrize("url", HOSTILE)
def test_no_spelling_gets_the_key(sandbox: Sandbox, proxy: ScriptedServer, url: str) -> None:
    """What looks like Novita or like this machine is neither."""
    sandbox.write("config.yaml", {"novita": {"base_url": url}})
    ran = sandbox.plan()
    assert ran.code == 1
    assert set(ran.codes) <= {"untrusted-host", "bad-base-url"}, ran.out
    assert ran.codes
    assert proxy.received == []


@pytest.mark.parametrize(
    "reference",
    ["${env:BRANCH}", "https://${env:HOME_PAGE}.evil.example", "${env:NOPE:-https://evil.example}"],
)
def test_a_reference_is_no_consent(sandbox: Sandbox, proxy: ScriptedServer, reference: str) -> None:
    """A file chooses which variable it reads, so what that says is not trusted, nor shown."""
    sandbox.monkeypatch.setenv("BRANCH", "https://branch.example")
    sandbox.monkeypatch.setenv("HOME_PAGE", "tok-3n-value")
    sandbox.write("config.yaml", {"novita": {"base_url": reference}})
    ran = sandbox.plan()
    assert (ran.code, ran.codes) == (1, ["untrusted-host"])
    assert "tok-3n-value" not in ran.out + ran.err
    assert proxy.received == []


def test_a_key_from_the_file_is_no_consent(sandbox: Sandbox, proxy: ScriptedServer) -> None:
    """Where the key comes from does not matter."""
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.write(
        "config.yaml", {"novita": {"api_key": "sk_of-the-file", "base_url": "https://evil.example"}}
    )
    assert sandbox.plan().codes == ["untrusted-host"]
    assert proxy.received == []


@pytest.mark.parametrize("name", [".env", "endpoints/.env"])
def test_a_dotenv_file_is_a_file(sandbox: Sandbox, proxy: ScriptedServer, name: str) -> None:
    """A `.env` that a pull request adds names no host."""
    sandbox.write(name, "NOVITA_BASE_URL=https://evil.example\nRECONCILER_TRUSTED_HOSTS=evil.example\n")
    sandbox.write("config.yaml", {"novita": {"base_url": "https://evil.example"}})
    assert "untrusted-host" in sandbox.plan().codes
    assert proxy.received == []


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://gw.example/novita", "gw.example"),
        ("https://GW.example.:8443", "other.example, gw.EXAMPLE."),
        ("https://a.b.gw.example", "*.gw.example"),
        ("https://[2001:db8::1]", "[2001:db8::1] x"),
        ("https://novita.ai", ""),
        ("https://api.NOVITA.ai.", ""),
        ("https://eu.api.novita.ai:444", ""),
    ],
)
def test_hosts_that_get_the_key(sandbox: Sandbox, proxy: ScriptedServer, url: str, trusted: str) -> None:
    """Novita's own and those of the environment are asked, here by the proxy."""
    sandbox.monkeypatch.setenv("RECONCILER_TRUSTED_HOSTS", trusted)
    sandbox.write("config.yaml", {"novita": {"base_url": url}})
    sandbox.run("doctor")
    assert proxy.received
    assert proxy.received[0].startswith(b"CONNECT ")


@pytest.mark.parametrize("trusted", ["*", "*.", "evil", "*.evil.example", "evil.example.org", "example"])
def test_hosts_that_are_not_named(sandbox: Sandbox, proxy: ScriptedServer, trusted: str) -> None:
    """A pattern names what it says: a host, or what is inside of a domain."""
    sandbox.monkeypatch.setenv("RECONCILER_TRUSTED_HOSTS", trusted)
    sandbox.write("config.yaml", {"novita": {"base_url": "https://evil.example"}})
    assert sandbox.plan().codes == ["untrusted-host"]


def test_the_variable_is_consent(sandbox: Sandbox, proxy: ScriptedServer) -> None:
    """NOVITA_BASE_URL wins over the file, and whoever sets it has the key."""
    sandbox.write("config.yaml", {"novita": {"base_url": "https://evil.example"}})
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "https://gw.example")
    sandbox.run("doctor")
    assert proxy.received[0].startswith(b"CONNECT gw.example:443 ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_needs_no_consent(sandbox: Sandbox, host: str) -> None:
    """A simulator that the file names is used as before."""
    sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
    sandbox.write("config.yaml", {"novita": {"base_url": sandbox.sim.url.replace("127.0.0.1", host)}})
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert "chat" in sandbox.live()


def test_a_redirect_does_not_get_the_key(sandbox: Sandbox) -> None:
    """An answer that points elsewhere is told, not followed."""
    sandbox.declare(item("chat"))
    with scripted_server() as elsewhere:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere.url}/x\r\nContent-Length: 0\r\n\r\n"
        with scripted_server(lambda connection, _over: connection.sendall(head.encode())) as server:
            sandbox.monkeypatch.setenv("NOVITA_BASE_URL", server.url)
            ran = sandbox.plan()
        assert ran.codes == ["redirected"]
        assert elsewhere.received == []
