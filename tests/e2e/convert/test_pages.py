"""Each page of docs/convert/ shows what happens, and its sample survives the round trip."""

import pytest

from tests.e2e.convert.pages import PAGES, empty_folder, page, set_variables
from tests.e2e.sandbox import Sandbox


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_happens(name: str, sandbox: Sandbox, pytestconfig: pytest.Config) -> None:
    """Its commands run, and print and write what it shows. --update-golden rewrites it."""
    empty_folder(sandbox)
    shown = page(name)
    happened = shown.run(sandbox)
    if pytestconfig.getoption("--update-golden"):
        shown.path.write_text(happened, encoding="utf-8")
    assert happened == page(name).text


@pytest.mark.parametrize("name", PAGES)
def test_the_sample_survives_the_round_trip(name: str, sandbox: Sandbox) -> None:
    """The YAML is valid, plans refuse what is yet to be chosen, and after an apply the plan is empty."""
    empty_folder(sandbox)
    shown = page(name)
    sandbox.write(shown.sample, shown.sample_text)
    ran = sandbox.run("convert", shown.sample, "--out", "endpoints.yaml", "--env-out", ".env", "--json")
    assert ran.code == 0, ran.err
    files = ("--env-file", ".env") if ran.document["env_file"] else ()
    assert sandbox.run("validate").code == 0
    names = {one["endpoint"] for one in ran.document["endpoints"]}
    credentials = {one["name"] for one in ran.document["registries"]}
    if ran.document["placeholders"]:
        assert "unset-reference" in sandbox.plan(*files).codes
    set_variables(sandbox, ran.document["variables"])
    assert set(sandbox.plan(*files).actions) == names | credentials
    sandbox.apply(*files)
    assert {one["name"] for one in sandbox.sim.world.endpoints} == names
    assert sandbox.plan(*files).actions == {}
