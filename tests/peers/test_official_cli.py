"""The official command line, `novita` on PyPI.

It has one fixed address, with no option or variable for another: the launcher sets the constant before it
calls the command's own entry point. Two of its commands leave out `requestTimeout`, which the newest
documentation requires; what they would have sent is tried through the client class below them.
"""

import json

import pytest

from ..simulator.api import body, worker_config
from .conftest import Peer

pytestmark = pytest.mark.slow

COMMAND = """
import sys
from novita_cli.core import client
client.BASE_URL = sys.argv.pop(1)
from novita_cli.novita_cli import main
main()
"""

METHOD = """
import json, sys
from novita_cli.core import client
client.BASE_URL, method, arguments = sys.argv[1:]
print(json.dumps(getattr(client.NovitaClient(), method)(**json.loads(arguments))))
"""

# Command, the operation it calls, and a part of what it then prints.
FITS = [
    ("serverless list", "list", "Total: 1"),
    ("serverless list --page 1", "list", "No endpoints found."),
    ("serverless get {endpoint}", "get", "state: serving"),
    ("serverless delete {endpoint}", "delete", "Endpoint {endpoint} deleted."),
    ("gpu clusters", "clusters", "us-dallas-nas-2  US-Dallas-NAS-02 (Dallas)"),
    ("gpu products --gpu-num 1 --name 4090", "products", "4090.16c62g"),
]

# Command, the operation it ends at, status, and how the refusal names what is wrong.
REFUSED = [
    ("--api-key other serverless list", "list", 403, "INVALID_API_KEY"),
    ("serverless get unknown", "get", 400, "SERVERLESS_ENDPOINT_NOT_FOUND"),
    ("serverless delete sd-prod", "delete", 400, "SERVERLESS_ENDPOINT_NOT_FOUND"),
    (
        "serverless create --image a:1 --port 8000 --product-id SL-serverless-3",
        "create",
        400,
        "invalid workerConfig.requestTimeout: value is required",
    ),
    (
        "serverless update {endpoint} --max-workers 5",
        "update",
        400,
        "invalid workerConfig.requestTimeout: value is required",
    ),
    ("storage list", "unknown", 404, "/networkstorages not found"),
    ("storage delete {storage}", "storage_delete", 400, "invalid storageId: value is required"),
]


@pytest.mark.parametrize(("command", "operation", "said"), FITS, ids=[row[0] for row in FITS])
def test_a_command_that_fits(peer: Peer, command: str, operation: str, said: str) -> None:
    """It is answered, and makes of the answer what a person wants to know."""
    done = peer.run(COMMAND, *command.format_map(peer.ids).split())
    assert (done.returncode, done.stderr) == (0, "")
    assert said.format_map(peer.ids) in done.stdout
    assert peer.seen() == [(operation, 200)]


@pytest.mark.parametrize(("command", "operation", "status", "why"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_command_that_is_refused(peer: Peer, command: str, operation: str, status: int, why: str) -> None:
    """It fails with the reason the documentation gives, and changes nothing."""
    before = peer.sim.world.dump()
    done = peer.run(COMMAND, *command.format_map(peer.ids).split())
    assert done.returncode == 1
    assert why in done.stderr
    assert peer.seen()[-1] == (operation, status)
    assert peer.sim.world.dump() == before


def test_a_storage_is_made_and_its_id_printed(peer: Peer) -> None:
    """The answer is a bare string, which the command can print as JSON only."""
    command = "--json-output storage create --cluster-id as-sgp-2 --name data --size 10"
    done = peer.run(COMMAND, *command.split())
    made = peer.sim.world.dump()["storages"][-1]
    assert (made["storageName"], made["storageSize"], made["clusterId"]) == ("data", 10, "as-sgp-2")
    assert json.loads(done.stdout) == made["storageId"]


def test_an_endpoint_lives_and_dies_by_its_client(peer: Peer) -> None:
    """With full bodies its calls create, update and delete: wrapped first, flat next, the id as name."""

    def call(method: str, **arguments: object) -> dict[str, object]:
        done = peer.run(METHOD, method, json.dumps(arguments))
        assert done.returncode == 0, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    port = [{"port": "8000"}]
    made = call("serverless_create_endpoint", endpoint=body(name="made", ports=port))
    assert made.keys() == {"id"}
    wide = body(name="made", ports=port, products=None, rootfsSize=None, workerConfig=worker_config(maxNum=7))
    assert call("serverless_update_endpoint", id=made["id"], **wide) == {}
    read = call("serverless_get_endpoint", endpoint_id=made["id"])["endpoint"]
    assert isinstance(read, dict)
    assert read["workerConfig"]["maxNum"] == 7
    assert call("serverless_delete_endpoint", endpoint_id=made["id"]) == {}
    assert [one["name"] for one in peer.sim.world.endpoints] == ["sd-prod"]
