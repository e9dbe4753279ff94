"""The third-party SDK, `novita-sdk` on PyPI, which takes the address as an argument.

It was generated from a description whose reads were proved live and whose endpoint calls were not: it names
an endpoint by `endpoint_id`, wraps a port in no list on create and everything in one on update, and sends
no `requestTimeout`. It cannot read workers, whose `metrics` it takes for an object, and what it saves as a
password are asterisks.
"""

import pytest

from reconciler.simulator import Profile

from .conftest import Peer

pytestmark = pytest.mark.slow

CALL = """
import sys
from novita import NovitaClient
from novita.exceptions import BadRequestError
from novita.generated.models import *
from pydantic_core import to_json
gpu = NovitaClient(base_url=sys.argv[1]).gpu
try:
    print(to_json(eval(sys.argv[2]), by_alias=True).decode())
except BadRequestError as refused:
    sys.exit("{reason} {message}".format_map(refused.details))
"""

STORAGE = "clusterId='as-sgp-2', storageName='data', storageSize=10"
WORKERS = "minNum=0, maxNum=1, freeTimeout=60, maxConcurrent=1, gpuNum=1"
CREATE = f"""CreateEndpointRequest(endpoint=Endpoint(
    name='made', workerConfig=WorkerConfig1({WORKERS}), ports=Ports(port='8000'),
    policy=Policy1(type='queue', value=60), image=Image1(image='a'),
    products=[Product1(id='SL-serverless-3')], rootfsSize=100,
    volumeMounts=[], healthy=Healthy1(path='/')))"""
UPDATE = f"""UpdateEndpointRequest(
    workerConfig=[WorkerConfigItem({WORKERS})], ports=[Port2(port='8000')],
    policy=[PolicyItem(type='queue', value=60)], image=[ImageItem(image='a')])"""

# Call, its operation, and a part of the SDK's own objects as JSON.
FITS = [
    ("gpu.endpoints.list()", "list", '"name":"sd-prod"'),
    ("gpu.endpoints.get_limit_ranges()", "limit", '"maxWorkerNum":1000'),
    ("gpu.clusters.list()", "clusters", '"id":"us-dallas-nas-2"'),
    ("gpu.products.list(gpu_num=1, product_name='4090')", "products", '"price":0.67,"spot_price":0.335'),
    ("gpu.registries.list()", "auths", '"id":"{auth}"'),
    ("gpu.registries.create('ghcr.io', 'me', 'secret')", "auth_save", "null"),
    ("gpu.registries.delete('{auth}')", "auth_delete", "null"),
    ("gpu.storages.list()", "storages", '"storageId":"{storage}"'),
    (f"gpu.storages.create(CreateNetworkStorageRequest({STORAGE}))", "storage_create", '"storageId":null'),
    (
        "gpu.storages.update(UpdateNetworkStorageRequest("
        "storageId='{storage}', storageName='big', storageSize=200))",
        "storage_update",
        '"storageId":null',
    ),
    ("gpu.storages.delete('{storage}')", "storage_delete", "null"),
]

# Call, its operation, and how the refusal names what is wrong.
REFUSED = [
    ("gpu.endpoints.get('{endpoint}')", "get", "SERVERLESS_ENDPOINT_NOT_FOUND endpoint '' not found"),
    (f"gpu.endpoints.create({CREATE})", "create", "invalid workerConfig.requestTimeout: value is required"),
    (f"gpu.endpoints.update('{{endpoint}}', {UPDATE})", "update", "invalid id: value is required"),
    ("gpu.endpoints.delete('{endpoint}')", "delete", "VALIDATOR_PARAM invalid id: value is required"),
    ("gpu.registries.delete('unknown')", "auth_delete", "RESOURCE_NOT_FOUND"),
]


@pytest.fixture
def profile() -> Profile:
    """Where sources differ, the account has the habits the SDK expects: ports as text, ids in objects."""
    return Profile(port_style="string", storage_create_answer="object")


@pytest.mark.parametrize(("call", "operation", "said"), FITS, ids=[row[0][:40] for row in FITS])
def test_a_call_that_fits(peer: Peer, call: str, operation: str, said: str) -> None:
    """It is answered, and the SDK's types accept the answer."""
    done = peer.run(CALL, call.format_map(peer.ids))
    assert (done.returncode, done.stderr) == (0, "")
    assert said.format_map(peer.ids) in done.stdout
    assert peer.seen() == [(operation, 200)]


@pytest.mark.parametrize(("call", "operation", "why"), REFUSED, ids=[row[0][:40] for row in REFUSED])
def test_a_call_that_is_refused(peer: Peer, call: str, operation: str, why: str) -> None:
    """It fails with the reason the documentation gives, and changes nothing."""
    before = peer.sim.world.dump()
    done = peer.run(CALL, call.format_map(peer.ids))
    assert done.returncode == 1
    assert why in done.stderr
    assert peer.seen() == [(operation, 400)]
    assert peer.sim.world.dump() == before


def test_a_write_is_done_though_its_answer_cannot_be_read(peer: Peer) -> None:
    """The documented bare id of a new storage is a failure to the SDK and a storage to the account."""
    peer.sim.world.switch(storage_create_answer="string")
    done = peer.run(CALL, f"gpu.storages.create(CreateNetworkStorageRequest({STORAGE}))")
    assert "ValidationError" in done.stderr
    assert [one["storageName"] for one in peer.sim.world.dump()["storages"]] == ["models", "data"]
