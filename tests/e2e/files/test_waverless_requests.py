"""Deploy requests of Waverless clients are items of the YAML, with all fields that these clients send."""

import pytest

from tests.e2e.sandbox import Sandbox, item

NOT_SENT = {"labels": {"team": "a"}, "imagePrefix": "acme/chat", "validateImage": True}
IMAGE = "ghcr.io/acme/chat:1"
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


@pytest.mark.parametrize(
    ("credential", "text"),
    [
        ("{{password: '{}'}}", "`registryCredential` must have `registry`"),
        ("{{registry: ghcr.io, username: ada, password: '{}'}}", "the password is written in the file"),
        ("{{registry: ghcr.io, username: '${{env:U}}', password: '{}'}}", "`registryCredential` must have"),
        ("{{registry: ghcr.io, username: ada, password: '{}', x: 1}}", "unknown key `x`"),
        ("'{}'", "`registryCredential` must have"),
    ],
)
@pytest.mark.parametrize("command", [["validate"], ["plan"], ["preview"], ["plan", "--json"]])
def test_d1_a_credential_is_refused_without_showing_it(
    sandbox: Sandbox, credential: str, text: str, command: list[str]
) -> None:
    """A password must come from a reference. Neither the line nor the value is shown."""
    head = "endpoints:\n- {endpoint: a, specName: small, image: 'x:1', registryCredential: "
    sandbox.write("endpoints.yaml", f"{head}{credential.format(PASSWORD)}}}\n")
    ran = sandbox.run(*command)
    output = (ran.out + ran.err).replace("\\u0060", "`")
    assert ran.code == 1
    assert text in output
    assert PASSWORD not in output


def test_d1_a_credential_is_declared_by_its_endpoints(sandbox: Sandbox) -> None:
    """Several endpoints may declare one in the same words; other words for the same name are an error."""
    sandbox.monkeypatch.setenv("THE_PASSWORD", PASSWORD)
    credential = {"registry": "ghcr.io", "username": "ada", "password": "${env:THE_PASSWORD}"}
    sandbox.declare(
        item("a", image=IMAGE, registryCredential=credential),
        item("b", image=IMAGE, registryCredential=credential),
    )
    sandbox.apply()
    (saved,) = sandbox.sim.world.dump()["auths"]
    assert (saved["name"], saved["username"], saved["password"]) == ("ghcr.io/ada", "ada", PASSWORD)
    assert {one["image"]["authId"] for one in sandbox.sim.world.endpoints} == {saved["id"]}
    assert sandbox.plan().code == 0
    other = {**credential, "password": "${env:OTHER}"}
    sandbox.declare(
        item("a", image=IMAGE, registryCredential=credential),
        item("b", image=IMAGE, registryCredential=other),
    )
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "by `registryCredential` of `a` with other values" in ran.err
    assert "write `imageAuth: ghcr.io/ada` in place of" in " ".join(ran.err.split())
    explicit = {"name": "ghcr.io/ada", "username": "ada", "password": "${env:THE_PASSWORD}"}
    sandbox.declare(item("a", image=IMAGE, registryCredential=credential), registries=[explicit])
    assert "`ghcr.io/ada` is declared by `registryCredential` of `a`, and in `registries`" in (
        sandbox.run("validate").err
    )


@pytest.mark.parametrize("other", [{"imageAuthId": "auth-1"}, {"imageAuth": "hub"}])
def test_d1_an_endpoint_has_one_credential(sandbox: Sandbox, other: dict[str, str]) -> None:
    """The error names both fields, and how an overlay removes one."""
    sandbox.monkeypatch.setenv("THE_PASSWORD", PASSWORD)
    credential = {"registry": "ghcr.io", "username": "ada", "password": "${env:THE_PASSWORD}"}
    sandbox.declare(
        item("a", image=IMAGE, registryCredential=credential, **other),
        registries=[{"name": "hub", "username": "ada", "password": "${env:THE_PASSWORD}"}],
    )
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "both say with which credential the image is pulled" in ran.err
    assert "`registryCredential: null` removes it" in " ".join(ran.err.split())
