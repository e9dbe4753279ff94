"""Images are references by the grammar that all registries share, in the files and on the command line."""

import pytest

from tests.e2e.sandbox import Sandbox, item

HEAD = "endpoints:\n- endpoint: chat\n  specName: small\n  image: "
SHA = "sha256:" + "0" * 64

WRONG = [
    ("chat:", "nothing follows the colon", "write it like `image: registry.example.com/team/model:1.4.2`"),
    ("/chat:1", "begins with `/`", "write `image: chat:1`"),
    ("https://ghcr.io/acme/chat:1", "as a URL does", "write `image: ghcr.io/acme/chat:1`"),
    ("docker:vllm/vllm-openai:v1", "names no registry", "write `image: vllm/vllm-openai:v1`"),
    ("AcmeAI/Chat:1", "lower case", "write `image: acmeai/chat:1`"),
    ("chat:feature/login", "cannot contain `/`", "write `image: chat:feature-login`"),
    ("x@sha256:zz", "64 hexadecimal digits", "write it like"),
]


@pytest.mark.parametrize(("image", "reason", "hint"), WRONG)
@pytest.mark.parametrize("command", ["validate", "plan", "apply", "preview"])
def test_d2_a_wrong_image_is_refused(
    sandbox: Sandbox, command: str, image: str, reason: str, hint: str
) -> None:
    """Each command says the place, the fault and what was meant, and sends nothing."""
    sandbox.write("endpoints.yaml", HEAD + f'"{image}"\n')
    ran = sandbox.run(command, "--json")
    (problem,) = ran.document["problems"]
    assert (ran.code, problem["code"], problem["line"], problem["column"]) == (1, "bad-image", 4, 10)
    assert f"`{image}`" in problem["summary"]
    assert reason in problem["summary"]
    assert hint in problem["hint"]
    assert sandbox.sent() == []


@pytest.mark.parametrize(("image", "reason", "hint"), WRONG)
def test_d2_deploy_and_update_check_the_image(sandbox: Sandbox, image: str, reason: str, hint: str) -> None:
    """Without the YAML it is the same error."""
    sandbox.declare()
    for command in (["deploy", "chat", "--spec", "small"], ["update", "chat"]):
        ran = sandbox.run(*command, "--image", image, "--yes")
        assert ran.code == 1
        assert reason in ran.err
        assert hint[1:] in ran.err
    assert sandbox.sent() == []


@pytest.mark.parametrize(
    ("variables", "code", "shown"),
    [
        ({"IMAGE": "AcmeAI/Chat:1"}, "bad-image", "`AcmeAI/Chat:1`"),
        ({"IMAGE": "AcmeAI/Chat:1?sig=x"}, None, ""),
        ({"IMAGE": "acme/chat"}, "image-without-version", "`acme/chat`"),
        ({}, "unset-reference", "IMAGE"),
    ],
)
def test_d2_the_value_of_a_reference_is_checked(
    sandbox: Sandbox, variables: dict[str, str], code: str | None, shown: str
) -> None:
    """A value that is masked is neither checked nor printed, and an unset one is only said to be unset."""
    for name, value in variables.items():
        sandbox.monkeypatch.setenv(name, value)
    sandbox.write("endpoints.yaml", HEAD + '"${env:IMAGE}"\n')
    ran = sandbox.run("validate", "--json")
    problems = ran.document["problems"]
    assert [problem["code"] for problem in problems] == ([code] if code else [])
    assert shown in "".join(problem["summary"] for problem in problems)
    assert "sig=" not in ran.out + ran.err


def test_d2_an_image_without_a_version_is_a_warning(sandbox: Sandbox) -> None:
    """The warning comes once for each image, and not for one with a version or a digest."""
    images = ["acme/chat", "acme/chat", "vllm/vllm-openai:latest", "acme/chat:1", f"acme/chat:latest@{SHA}"]
    sandbox.declare(*(item(f"e{number}", image=image) for number, image in enumerate(images)))
    for command in ("validate", "plan"):
        ran = sandbox.run(command, "--json")
        problems = [problem for problem in ran.document["problems"] if problem["severity"] == "warning"]
        assert [(problem["code"], problem["summary"].partition(":")[0]) for problem in problems] == [
            ("image-without-version", "`acme/chat` has no tag"),
            ("image-without-version", "`vllm/vllm-openai"),
        ]
        assert problems[0]["hint"] == "write a version, such as `image: acme/chat:1.4.2`"
        assert problems[0]["address"] is None
    ran = sandbox.run("deploy", "by-hand", "--spec", "small", "--image", "acme/chat", "--yes")
    assert (ran.code, ran.err.count("`acme/chat` has no tag")) == (0, 1)
    ran = sandbox.run("update", "by-hand", "--image", "acme/chat:latest", "--yes")
    assert (ran.code, ran.err.count("has the tag `latest`")) == (0, 1)
