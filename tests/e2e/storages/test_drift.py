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


def test_the_live_size_is_accepted_into_the_yaml(sandbox: Sandbox) -> None:
    """By the address of the storage, as drift says."""
    text = "storages:\n  - name: weights\n    region: us-dallas-nas-2\n    sizeGb: 200  # GB\nendpoints: []\n"
    path = sandbox.write("endpoints.yaml", text)
    sandbox.apply()
    grown = {"storageId": live(sandbox)["weights"]["storageId"], "storageName": "weights", "storageSize": 300}
    call(sandbox, "networkstorage/update", grown)
    assert "reconciler drift accept novita_storage.weights" in sandbox.run("drift").out
    ran = sandbox.run("drift", "accept", "novita_storage.weights")
    assert ran.code == 0, ran.err
    assert path.read_text() == text.replace("200", "300")
    assert "No changes." in sandbox.run("plan").out
