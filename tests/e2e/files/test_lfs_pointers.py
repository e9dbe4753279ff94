"""A file that Git LFS keeps elsewhere is called by its name."""

import pytest

from tests.e2e.sandbox import Sandbox, item

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize("name", ["endpoints.yaml", "specs.yaml", "config.yaml", "endpoints/a.json"])
def test_a_pointer_is_told_by_its_name(name: str, sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.write(name, POINTER)
    ran = sandbox.run("validate", "--json")
    (problem,) = ran.document["problems"]
    assert (ran.code, problem["code"], problem["file"]) == (1, "lfs-pointer", name)
