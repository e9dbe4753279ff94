"""Which requests go where, with which credential: the address and Terraform's variables decide."""

from __future__ import annotations

import base64

import pytest

from reconciler.inventory.stores.terraform_http import open_store
from reconciler.inventory.stores.terraform_http.address import StateAddress, parse_address
from reconciler.model.errors import InventoryError
from tests.stores.gitlab_server import JOB_TOKEN, StateServer, environment
from tests.stores.terraform_states import HOLDER, running_server, server

__all__ = ["running_server", "server"]

GITLAB = "https://gitlab.example/api/v4/projects/42/terraform/state/prod"
PLAIN = "https://states.example/prod"
SECRET = "s3cr3t-that-nobody-may-see"


def calls(address: StateAddress) -> list[str]:
    return [str(call) for call in (address.read, address.write, address.lock, address.unlock)]


def credential(address: StateAddress) -> str:
    return base64.b64decode(address.authorization.removeprefix("Basic ")).decode()


def test_a_state_of_gitlab_has_its_lock_below_it() -> None:
    variables = {"TF_HTTP_LOCK_ADDRESS": f"{GITLAB}-other/lock", "TF_HTTP_LOCK_METHOD": "PUT"}
    parsed = parse_address(f"{GITLAB}/", variables)
    assert calls(parsed) == [
        f"GET {GITLAB}",
        f"POST {GITLAB}",
        f"POST {GITLAB}/lock",
        f"DELETE {GITLAB}/lock",
    ]
    assert parsed.label == GITLAB


def test_a_plain_server_has_the_verbs_of_terraform() -> None:
    assert calls(parse_address(PLAIN, {})) == [
        f"GET {PLAIN}",
        f"POST {PLAIN}",
        f"LOCK {PLAIN}",
        f"UNLOCK {PLAIN}",
    ]


def test_the_variables_of_terraform_change_a_plain_server() -> None:
    variables = {
        "TF_HTTP_UPDATE_METHOD": "PUT",
        "TF_HTTP_LOCK_ADDRESS": "https://locks.example/prod",
        "TF_HTTP_LOCK_METHOD": "POST",
        "TF_HTTP_UNLOCK_ADDRESS": "https://locks.example/prod/free",
        "TF_HTTP_UNLOCK_METHOD": "DELETE",
    }
    assert calls(parse_address(PLAIN, variables)) == [
        f"GET {PLAIN}",
        f"PUT {PLAIN}",
        "POST https://locks.example/prod",
        "DELETE https://locks.example/prod/free",
    ]
    del variables["TF_HTTP_UNLOCK_ADDRESS"]
    assert calls(parse_address(PLAIN, variables))[3] == "DELETE https://locks.example/prod"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"https://user:{SECRET}@gitlab.example/terraform/state/prod", "credential-in-address"),
        (f"https://{SECRET}@gitlab.example/terraform/state/prod", "credential-in-address"),
        (f"{PLAIN}?token={SECRET}", "bad-address"),
        (f"{PLAIN}#{SECRET}", "bad-address"),
        ("https://states.example/a/../b", "bad-address"),
        ("https://states.example/a/%2e%2e/b", "bad-address"),
        ("https://", "bad-address"),
        ("https://[::1/x", "bad-address"),
        ("https://states.example:0/x", "bad-address"),
        ("https://states.example/a b", "bad-address"),
        ("https://states.example/ä", "bad-address"),
        ("http://states.example/prod", "insecure-address"),
    ],
)
def test_an_address_that_is_refused(address: str, code: str) -> None:
    for given, variables in ((address, {}), (PLAIN, {"TF_HTTP_LOCK_ADDRESS": address})):
        with pytest.raises(InventoryError) as caught:
            parse_address(given, variables)
        problem = caught.value.problem
        assert problem.code == code
        assert SECRET not in f"{problem.summary}{problem.detail}{problem.hint}"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_this_machine_needs_no_tls(host: str) -> None:
    assert parse_address(f"http://{host}/prod", {}).label == f"http://{host}/prod"


@pytest.mark.parametrize(
    "variables",
    [
        {"TF_HTTP_USERNAME": "alice"},
        {"TF_HTTP_PASSWORD": SECRET},
        {"TF_HTTP_USERNAME": "a:b", "TF_HTTP_PASSWORD": SECRET},
        {"TF_HTTP_USERNAME": "alice", "TF_HTTP_PASSWORD": f"{SECRET}\n"},
        {"TF_HTTP_LOCK_METHOD": f"GET / {SECRET}"},
    ],
)
def test_a_variable_that_cannot_be_used(variables: dict[str, str]) -> None:
    with pytest.raises(InventoryError) as caught:
        parse_address(PLAIN, variables)
    problem = caught.value.problem
    assert problem.code == "invalid-environment"
    assert SECRET not in f"{problem.summary}{problem.detail}{problem.hint}"


def test_the_credential_of_the_user_comes_first() -> None:
    job = {"CI_JOB_TOKEN": JOB_TOKEN, "CI_SERVER_URL": "https://gitlab.example"}
    own = {"TF_HTTP_USERNAME": "alice", "TF_HTTP_PASSWORD": SECRET}
    parsed = parse_address(GITLAB, job | own)
    assert credential(parsed) == f"alice:{SECRET}"
    assert SECRET not in repr(parsed)
    assert parsed.authorization not in repr(parsed)


@pytest.mark.parametrize(
    ("variable", "url"),
    [("CI_API_V4_URL", "https://GITLAB.example:443/api/v4"), ("CI_SERVER_URL", "https://gitlab.example")],
)
def test_a_job_of_gitlab_uses_its_token(variable: str, url: str) -> None:
    parsed = parse_address(GITLAB, {"CI_JOB_TOKEN": JOB_TOKEN, variable: url})
    assert credential(parsed) == f"gitlab-ci-token:{JOB_TOKEN}"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://gitlab.example.evil.example/api/v4/projects/1/terraform/state/x", "https://gitlab.example"),
        ("https://gitlab.example:8443/api/v4/projects/1/terraform/state/x", "https://gitlab.example"),
        ("http://localhost/api/v4/projects/1/terraform/state/x", "https://localhost"),
        (PLAIN, "https://gitlab.example"),
        (GITLAB, ""),
        (GITLAB, "https://[::1"),
    ],
)
def test_the_token_of_a_job_goes_nowhere_else(address: str, url: str) -> None:
    assert parse_address(address, {"CI_JOB_TOKEN": JOB_TOKEN, "CI_SERVER_URL": url}).authorization == ""


def test_a_job_needs_no_variables(server: StateServer) -> None:
    job = {"CI_JOB_TOKEN": JOB_TOKEN, "CI_API_V4_URL": f"{server.url}/api/v4"}
    with open_store(server.gitlab("prod"), job).hold(HOLDER) as hold:
        hold.fold(b"map", b"")
    assert open_store(server.gitlab("prod"), job).read().map == b"map"


def test_other_methods_are_sent(server: StateServer) -> None:
    variables = {**environment(server), "TF_HTTP_UPDATE_METHOD": "PUT"}
    with open_store(server.plain("prod"), variables).hold(HOLDER) as hold:
        hold.fold(b"map", b"")
    assert server.count("PUT") == 1
    assert server.count("POST") == 0
