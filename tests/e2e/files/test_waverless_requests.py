"""Deploy requests of Waverless clients are items of the YAML, with all fields that these clients send."""

import pytest

from tests.e2e.sandbox import Sandbox, item

NOT_SENT = {"labels": {"team": "a"}, "imagePrefix": "acme/chat", "validateImage": True}
PASSWORD = "a-password-that-nobody-may-see"


def test_d1_fields_without_an_effect_are_accepted_and_never_sent(sandbox: Sandbox) -> None:
    """One warning names them; empty ones, as forms send them, need none."""
    sandbox.declare(item("chat", gpuCount=1, **NOT_SENT))
    ran = sandbox.run("validate", "--json")
    (warning,) = ran.document["problems"]
    assert (ran.code, warning["severity"], warning["code"]) == (0, "warning", "never-sent")
    assert "`labels`, `imagePrefix` or `validateImage`" in warning["summary"]
    sandbox.apply()
    (sent,) = sandbox.sent()
    assert not {*NOT_SENT, "gpuCount"} & set(str(sent.body))
    assert "imagePrefix" not in str(sent.body)
    sandbox.declare(item("chat", labels={}, imagePrefix="", gpuCount=0, registryCredential={}))
    ran = sandbox.plan()
    assert (ran.code, ran.document["problems"]) == (0, [])


@pytest.mark.parametrize(
    ("spec", "count", "is_right"), [("small", 1, True), ("small", 2, False), ("large", 2, True)]
)
def test_d1_the_gpus_are_those_of_the_spec(sandbox: Sandbox, spec: str, count: int, is_right: bool) -> None:
    sandbox.declare(item("chat", specName=spec, gpuCount=count))
    ran = sandbox.run("validate", "--json")
    assert ran.code == (0 if is_right else 1)
    if not is_right:
        (problem,) = ran.document["problems"]
        assert problem["summary"] == "`gpuCount` is 2, and a worker of `small` has 1 GPU"
        assert problem["hint"] == 'name a spec with `gpu: "2"` in specs.yaml, or remove `gpuCount`'


@pytest.mark.parametrize("password", [PASSWORD, "${env:THE_PASSWORD}", "${env:UNSET}"])
@pytest.mark.parametrize("command", [["validate"], ["plan"], ["preview"], ["plan", "--json"]])
def test_d1_a_credential_is_refused_without_showing_it(
    sandbox: Sandbox, password: str, command: list[str]
) -> None:
    """The way out is the ID of a stored credential. Neither the line nor the value is shown."""
    sandbox.monkeypatch.setenv("THE_PASSWORD", PASSWORD)
    head = "endpoints:\n- {endpoint: a, specName: small, image: 'x:1', registryCredential: "
    text = f"{head}{{password: '{password}'}}}}\n"
    sandbox.write("endpoints.yaml", text)
    ran = sandbox.run(*command)
    assert ran.code == 1
    assert "cannot hold the password of a registry" in ran.out + ran.err
    assert "imageAuthId" in ran.out + ran.err
    assert PASSWORD not in ran.out + ran.err
    assert (ran.out + ran.err).count("rror: ") <= 1
