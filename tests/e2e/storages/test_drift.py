"""What others do with a storage in the console is drift, and never an error of the comparison."""

from tests.e2e.sandbox import Sandbox

from .support import call, live, storage


def test_a_storage_that_grew_is_drift(sandbox: Sandbox) -> None:
    """The plan refuses to shrink it; the comparison tells what has changed."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    grown = {"storageId": live(sandbox)["weights"]["storageId"], "storageName": "weights", "storageSize": 300}
    call(sandbox, "networkstorage/update", grown)
    ran = sandbox.run("drift")
    assert ran.code == 2
    assert "sizeGb = 200 -> 300" in ran.out
    assert "cannot shrink" not in ran.out + ran.err
    assert "cannot shrink to 200 GB" in sandbox.run("plan").err
    sandbox.declare(storages=[storage(sizeGb=300)])
    assert sandbox.apply().code == 0
    assert sandbox.run("drift").code == 0
