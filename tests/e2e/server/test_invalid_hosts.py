"""An address that no resolver can look up is refused where it is read, and never taken for an answer."""

import pytest

from tests.e2e.sandbox import Sandbox, item

UNSOUND = (
    "https://api..novita.ai",
    "https://.novita.ai",
    "https://api.novita.ai..",
    f"https://{'a' * 64}.novita.ai",
    f"https://{'.'.join(['abcdefghi'] * 26)}.novita.ai",
    "https://xn--\u00e4\u2028.novita.ai",
    "https://b\u00fccher\u00df.novita.ai",
    "https://a%zz.novita.ai",
    "https://a'b.novita.ai",
    "https://999.1.1.1",
    "https://api.novita.ai:0",
    "https://api.novita.ai:65536",
    "https://api.novita.ai:port",
    "https://[::1",
    "https://[novita]",
)


@pytest.mark.parametrize("where", ["file", "variable"])
@pytest.mark.parametrize("url", UNSOUND)
def test_an_unsound_base_url(sandbox: Sandbox, url: str, where: str) -> None:
    """It is told with its place before anybody is asked."""
    sandbox.declare(item("chat"))
    if where == "file":
        sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
        sandbox.write("config.yaml", {"novita": {"base_url": url}})
    else:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", url)
    for command in ("plan", "validate", "list", "apply --auto-approve"):
        ran = sandbox.run(*command.split())
        assert ran.code == 1, ran.out
        assert "the base URL in " in ran.err
        assert "is not a URL" in ran.err
        assert "config.yaml:" in ran.err or where == "variable"
    assert sandbox.plan().codes == ["bad-base-url"]


@pytest.mark.parametrize("command", ["plan", "plan --json", "apply --auto-approve", "doctor"])
@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy..corp:3128",
        f"http://{'a' * 64}.corp:3128",
        "http://\u00fc\u2028.corp:3128",
        "http://proxy.corp:99999",
        "http://999.1.1.1:3128",
    ],
)
def test_an_unsound_proxy(sandbox: Sandbox, proxy: str, command: str) -> None:
    """The variable is named, and nobody calls it a bug or a listing that is in motion."""
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "https://api.novita.ai")
    sandbox.monkeypatch.setenv("HTTPS_PROXY", proxy)
    ran = sandbox.run(*command.split())
    said = ran.out + ran.err
    assert ran.code == 1
    assert "HTTPS_PROXY" in said
    assert "has a bug" not in said
    assert "creating or deleting" not in said
    assert "base_url" not in said
