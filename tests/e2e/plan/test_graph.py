"""`reconciler graph`: the declared resources and their references."""

import pytest

from tests.e2e.registries.credentials import credential
from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def declared(sandbox: Sandbox) -> Sandbox:
    sandbox.declare(
        item("chat", imageAuth="hub"),
        item("llm", imageAuth="hub"),
        item("other", imageAuthId="auth-1"),
        item("plain"),
        registries=[credential()],
    )
    sandbox.monkeypatch.delenv("NOVITA_API_KEY", raising=False)
    return sandbox


def test_the_text_names_users_below_what_they_use(declared: Sandbox) -> None:
    """In the order of creation, without a key and without the secrets."""
    ran = declared.run("graph")
    assert ran.code == 0
    assert ran.out == (
        "novita_registry.auth-1  (by its ID, not declared here)\n"
        "  used by novita_endpoint.other  (imageAuthId)\n"
        "novita_registry.hub\n"
        "  used by novita_endpoint.chat  (imageAuthId)\n"
        "  used by novita_endpoint.llm  (imageAuthId)\n"
        "novita_endpoint.chat\n"
        "novita_endpoint.llm\n"
        "novita_endpoint.other\n"
        "novita_endpoint.plain\n"
        "\n"
        "Created from top to bottom, deleted from bottom to top.\n"
    )


def test_mermaid_draws_the_same(declared: Sandbox) -> None:
    """A name is text, whatever it contains."""
    lines = declared.run("graph", "--mermaid").out.splitlines()
    assert lines[:3] == [
        "flowchart LR",
        '  n0(["novita_registry.auth-1"])',
        '  n1["novita_registry.hub"]',
    ]
    assert '  n2 -- "imageAuthId" --> n1' in lines
    declared.declare(item('a"]; click n0', appName="a"))
    assert 'n0["novita_endpoint.a#34;#93;#59; click n0"]' in declared.run("graph", "--mermaid").out


@pytest.mark.parametrize(
    ("option", "value", "names"),
    [
        ("--target", "chat", {"chat", "hub"}),
        ("--target", "novita_registry.hub", {"hub"}),
        ("--exclude", "o*", {"chat", "llm", "plain", "hub"}),
    ],
)
def test_a_selection_is_shown_with_what_it_refers_to(
    declared: Sandbox, option: str, value: str, names: set[str]
) -> None:
    nodes = declared.run("graph", "--json", option, value).document["nodes"]
    assert {node["name"] for node in nodes} == names


def test_a_target_that_matches_nothing_is_an_error(declared: Sandbox) -> None:
    ran = declared.run("graph", "--target", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert "--target nobody matches no endpoint" in ran.err


def test_json_has_nodes_and_edges(declared: Sandbox) -> None:
    document = declared.run("graph", "--json").document
    assert len(document["nodes"]) == 6
    assert document["edges"][1] == {
        "from": "novita_endpoint.chat",
        "to": "novita_registry.hub",
        "field": "imageAuthId",
    }


def test_nothing_declared_is_no_error(sandbox: Sandbox) -> None:
    sandbox.declare()
    assert sandbox.run("graph").out == "Nothing is declared.\n"
