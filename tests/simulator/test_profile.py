"""Every switch changes what it names; the life of workers has a file of its own."""

from typing import Any

import pytest

from reconciler.simulator import Profile

from .api import Api, body, outcome, states, worker_config

NOT_FOUND = "SERVERLESS_ENDPOINT_NOT_FOUND"


def test_numbers_as_ints() -> None:
    """number_style int answers plain ints where the default answers digit strings."""
    api = Api.of(number_style="int")
    endpoint = api.read(api.create())
    config = endpoint["workerConfig"]
    assert (config["freeTimeout"], config["maxConcurrent"], endpoint["policy"]["value"]) == (300, 1, 60)


def test_ports_as_strings() -> None:
    """port_style string answers the port as a digit string."""
    api = Api.of(port_style="string")
    assert api.read(api.create())["ports"] == [{"port": "8000"}]


def test_healthy_as_null() -> None:
    """healthy_null answers null although a path was declared."""
    api = Api.of(healthy_null=True)
    assert api.read(api.create())["healthy"] is None


def test_get_without_the_wrapper() -> None:
    """get_wrapped false answers the endpoint itself."""
    api = Api.of(get_wrapped=False)
    endpoint_id = api.create()
    assert api.get("/endpoint", id=endpoint_id)[1]["id"] == endpoint_id


@pytest.mark.parametrize(("style", "expected"), [("list", []), ("null", None), ("absent", "absent")])
def test_empty_lists(style: Any, expected: Any) -> None:
    """empty_as decides how empty envs, volumeMounts and workers look; filled ones are untouched."""
    api = Api.of(empty_as=style)
    endpoint = api.read(api.create(envs=[], workerConfig=worker_config(minNum=0)))
    found = [endpoint.get(field, "absent") for field in ("envs", "volumeMounts", "workers")]
    assert found == [expected] * 3
    assert len(api.read(api.create())["workers"]) == 1


def test_pages_from_one() -> None:
    """page_base 1: page 1 is the first, also when none is asked for; page 0 is the first too, or a 400."""
    api = Api.of(page_base=1)
    for number in range(3):
        api.create(name=f"e{number}")
    assert api.names(pageSize=2) == api.names(pageSize=2, pageNum=1) == ["e0", "e1"]
    assert api.names(pageSize=2, pageNum=0) == ["e0", "e1"]
    assert api.names(pageSize=2, pageNum=2) == ["e2"]
    api.world.switch(page_zero="400")
    assert outcome(api.get("/endpoints", pageNum=0)) == (400, "VALIDATOR_PARAM")


def test_page_sizes() -> None:
    """default_page_size holds when none is asked for, max_page_size cuts what is too large."""
    api = Api.of(default_page_size=2, max_page_size=3)
    for number in range(5):
        api.create(name=f"e{number}")
    assert len(api.names()) == 2
    assert len(api.names(pageSize=100)) == 3


def test_past_the_end() -> None:
    """past_end repeats the last page or answers 400; an empty account has one empty page."""
    api = Api.of(past_end="repeat")
    assert api.names(pageNum=7) == []
    for number in range(3):
        api.create(name=f"e{number}")
    assert api.names(pageSize=2, pageNum=7) == ["e2"]
    api.world.switch(past_end="400")
    assert outcome(api.get("/endpoints", pageSize=2, pageNum=2)) == (400, "VALIDATOR_PARAM")
    assert api.names(pageSize=2, pageNum=1) == ["e2"]


def test_a_lying_total() -> None:
    """total_offset makes total disagree with the items."""
    api = Api.of(total_offset=-1)
    api.create()
    assert api.get("/endpoints")[1]["total"] == 0


def test_listings_lag_behind() -> None:
    """list_lag_seconds hides a new endpoint from listings and their total, not from get."""
    api = Api.of(list_lag_seconds=5)
    endpoint_id = api.create()
    assert api.get("/endpoints")[1] == {"endpoints": [], "total": 0}
    assert api.read(endpoint_id)["id"] == endpoint_id
    api.clock.now += 5
    assert api.get("/endpoints")[1]["total"] == 1


def test_reads_lag_behind() -> None:
    """get_lag_seconds hides a new endpoint from get, not from listings."""
    api = Api.of(get_lag_seconds=2)
    endpoint_id = api.create()
    assert outcome(api.get("/endpoint", id=endpoint_id)) == (400, NOT_FOUND)
    assert api.names() == ["sd-prod"]
    api.clock.now += 2
    assert api.read(endpoint_id)["id"] == endpoint_id


def test_updates_show_late() -> None:
    """update_lag_seconds: reads answer the old settings for a while, through a second update as well."""
    api = Api.of(update_lag_seconds=3)
    endpoint_id = api.create(name="old")
    api.update(endpoint_id, name="new")
    api.clock.now += 2
    api.update(endpoint_id, name="newer")
    assert (api.read(endpoint_id)["name"], api.names()) == ("old", ["old"])
    assert api.world.endpoint(endpoint_id)["name"] == "newer"
    api.clock.now += 3
    assert api.read(endpoint_id)["name"] == "newer"


@pytest.mark.parametrize("late", ["list", "get"])
def test_one_kind_of_read_is_behind_the_other(late: str) -> None:
    """list_behind_seconds and get_behind_seconds: updates and deletes show later in that kind of read."""
    api = Api.of(**{f"{late}_behind_seconds": 3})
    endpoint_id = api.create(name="old")
    api.update(endpoint_id, name="new")
    names = {"list": ["old"], "get": ["new"]} if late == "list" else {"list": ["new"], "get": ["old"]}
    assert {"list": api.names(), "get": [api.read(endpoint_id)["name"]]} == names
    api.clock.now += 3
    assert (api.read(endpoint_id)["name"], api.names()) == ("new", ["new"])
    api.delete(id=endpoint_id)
    found = outcome(api.get("/endpoint", id=endpoint_id))
    assert (api.names(), found) == ((["new"], (400, NOT_FOUND)) if late == "list" else ([], (200, "")))
    api.clock.now += 3
    assert (api.names(), outcome(api.get("/endpoint", id=endpoint_id))) == ([], (400, NOT_FOUND))


DELETE_KEYS: list[tuple[str, set[str], tuple[int, str]]] = [
    ("id", {"id"}, (200, "")),
    ("id", {"id", "name"}, (200, "")),
    ("id", {"name"}, (400, "VALIDATOR_PARAM")),
    ("name", {"name"}, (200, "")),
    ("name", {"id"}, (400, "VALIDATOR_PARAM")),
    ("strict", {"id"}, (200, "")),
    ("strict", {"id", "name"}, (400, "VALIDATOR_PARAM")),
    ("strict", {"name"}, (400, "VALIDATOR_PARAM")),
    ("strict-name", {"name"}, (200, "")),
    ("strict-name", {"id", "name"}, (400, "VALIDATOR_PARAM")),
    ("strict-name", {"id"}, (400, "VALIDATOR_PARAM")),
]


@pytest.mark.parametrize(("style", "keys", "expected"), DELETE_KEYS)
def test_the_key_delete_wants(style: Any, keys: set[str], expected: tuple[int, str]) -> None:
    """delete_key names the key that counts; the strict ones refuse any other beside it."""
    api = Api.of(delete_key=style)
    endpoint_id = api.create()
    assert api.delete(**dict.fromkeys(keys, endpoint_id)) == expected
    assert len(api.world.endpoints) == (0 if expected[0] == 200 else 1)


def test_deleted_endpoints_linger() -> None:
    """terminating_seconds: still read and listed as terminating, app name still taken, then gone."""
    api = Api.of(terminating_seconds=30)
    endpoint_id = api.create(appName="sd")
    assert api.delete(id=endpoint_id) == (200, "")
    assert api.read(endpoint_id)["state"]["state"] == "terminating"
    assert api.names() == ["sd-prod"]
    assert api.world.endpoints == []
    assert api.update(endpoint_id) == (400, "OPERATION_LIMIT")
    assert api.try_create(appName="sd") == (400, "SERVERLESS_APP_NAME_IS_EXIST")
    api.clock.now += 20
    assert api.delete(id=endpoint_id) == (200, "")
    api.clock.now += 10
    assert outcome(api.get("/endpoint", id=endpoint_id)) == (400, NOT_FOUND)
    assert api.names() == []
    assert api.try_create(appName="sd") == (200, "")


def test_not_found_as_404() -> None:
    """not_found_status changes the status, the reason stays."""
    assert outcome(Api.of(not_found_status=404).get("/endpoint", id="x")) == (404, NOT_FOUND)


def test_unique_names() -> None:
    """duplicate_names refuse: neither create nor rename may take a name twice; keeping one's own is fine."""
    api = Api.of(duplicate_names="refuse")
    first, second = api.create(name="a"), api.create(name="b")
    assert api.try_create(name="a") == (400, "CONFLICT")
    assert api.update(second, name="a") == (400, "CONFLICT")
    assert api.update(first, name="a") == (200, "")


def test_omitted_fields_kept() -> None:
    """update_omitted keep: what an update leaves out stays, what it names empty is emptied."""
    api = Api.of(update_omitted="keep")
    endpoint_id = api.create(image={"image": "a:1", "authId": "k1", "command": "serve"})
    update: dict[str, Any] = {"name": None, "clusterID": None, "healthy": None, "envs": []}
    assert api.update(endpoint_id, **update, image={"image": "a:2", "command": ""}) == (200, "")
    endpoint = api.world.endpoint(endpoint_id)
    assert (endpoint["name"], endpoint["clusterID"]) == ("sd-prod", "us-dallas-nas-2")
    assert (endpoint["healthy"], endpoint["envs"]) == ({"path": "/health"}, [])
    assert endpoint["image"] == {"image": "a:2", "authId": "k1", "command": ""}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("appName", "other"),
        ("products", [{"id": "SL-serverless-4"}]),
        ("rootfsSize", 50),
        ("type", "async"),
        ("workerConfig", worker_config(cudaVersion="12.6")),
    ],
)
def test_fixed_fields_refused(field: str, value: Any) -> None:
    """immutable refuse: an update that would change a fixed field is refused, echoing it is not."""
    api = Api.of(immutable="refuse")
    endpoint_id = api.create(appName="sd", workerConfig=worker_config(cudaVersion="12.4"))
    echo: dict[str, Any] = {
        "appName": "sd",
        "products": [{"id": "SL-serverless-3"}],
        "rootfsSize": "100",
        "type": "sync",
    }
    echo["workerConfig"] = worker_config(cudaVersion="12.4")
    assert api.update(endpoint_id, **echo) == (200, "")
    status, payload = api.post(
        "/endpoint/update", {"id": endpoint_id, **body(products=None, rootfsSize=None), **echo, field: value}
    )
    assert (status, payload["reason"]) == (400, "VALIDATOR_PARAM")
    assert field in payload["message"]


def test_silent_ceilings() -> None:
    """clamp cuts values on create and update without a word; unknown fields in it do no harm."""
    api = Api.of(clamp={"workerConfig.freeTimeout": 100, "rootfsSize": 80, "no.such": 1})
    endpoint_id = api.create()
    assert api.world.endpoint(endpoint_id)["workerConfig"]["freeTimeout"] == 100
    assert api.world.endpoint(endpoint_id)["rootfsSize"] == 80
    api.update(endpoint_id, workerConfig=worker_config(freeTimeout=200))
    assert api.world.endpoint(endpoint_id)["workerConfig"]["freeTimeout"] == 100


def test_a_filled_in_cuda_version() -> None:
    """cuda_fill is answered when none was given, and only then."""
    api = Api.of(cuda_fill="12.8")
    assert api.read(api.create())["workerConfig"]["cudaVersion"] == "12.8"
    given = api.create(workerConfig=worker_config(cudaVersion="12.4"))
    assert api.read(given)["workerConfig"]["cudaVersion"] == "12.4"


def test_the_order_of_envs() -> None:
    """env_order reverses or shuffles envs; none is lost and the world keeps its own order."""
    envs = [{"key": f"K{number}", "value": ""} for number in range(20)]
    api = Api.of()
    endpoint_id = api.create(envs=envs)
    assert api.read(endpoint_id)["envs"] == envs
    api.world.switch(env_order="reversed")
    assert api.read(endpoint_id)["envs"] == envs[::-1]
    api.world.switch(env_order="shuffled")
    shuffled = api.read(endpoint_id)["envs"]
    assert shuffled not in (envs, envs[::-1])
    assert sorted(map(str, shuffled)) == sorted(map(str, envs))
    assert api.world.endpoint(endpoint_id)["envs"] == envs


def test_unexpected_fields() -> None:
    """extra_fields adds keys on both levels, and nothing else changes."""
    api = Api.of()
    endpoint_id = api.create()
    plain = api.read(endpoint_id)
    api.world.switch(extra_fields=True)
    extended = api.read(endpoint_id)
    assert extended.keys() > plain.keys()
    assert extended["workerConfig"].keys() > plain["workerConfig"].keys()
    assert {name: extended[name] for name in plain if name != "workerConfig"} == {
        name: plain[name] for name in plain if name != "workerConfig"
    }


def test_newer_ids() -> None:
    """id_style mixed12 makes ids of 12 letters and digits."""
    api = Api.of(id_style="mixed12")
    ids = [api.create() for _ in range(20)]
    assert all(len(one) == 12 and one.isalnum() for one in ids)
    assert any(not one.islower() for one in ids)


def test_a_sleeping_cluster() -> None:
    """cluster_inactive_tries: the first creates fail with a message, then the cluster is awake."""
    api = Api.of(cluster_inactive_tries=2)
    for _ in range(2):
        status, payload = api.post("/endpoint/create", {"endpoint": body()})
        assert (status, payload["message"]) == (400, "serverless cluster is not active")
    assert api.try_create() == (200, "")


def test_known_clusters() -> None:
    """known_clusters refuses all others, in create and in update; none at all is fine."""
    api = Api.of(known_clusters=("us-dallas-nas-2",))
    endpoint_id = api.create()
    assert api.try_create(clusterID="eu-de-1") == (400, "VALIDATOR_PARAM")
    assert api.update(endpoint_id, clusterID="eu-de-1") == (400, "VALIDATOR_PARAM")
    assert api.try_create(clusterID=None) == (200, "")


def test_the_limits() -> None:
    """The console's fallback values by default, others if set, 404 if not offered."""
    limit = Api.of().get("/endpoint/limit")[1]
    assert (limit["maxFreeTimeout"], limit["maxGPUNum"]) == (1000, 8)
    assert (limit["minRequestTimeout"], limit["maxRequestTimeout"]) == (1, 1800)
    assert "12.4" in limit["cudaVersionList"]
    assert Api.of(limits={"maxWorkerNum": 5}).get("/endpoint/limit") == (200, {"maxWorkerNum": 5})
    assert outcome(Api.of(limit_offered=False).get("/endpoint/limit")) == (404, "NOT_FOUND")


def test_a_state_for_all() -> None:
    """endpoint_state is what every endpoint answers, whatever its workers do."""
    api = Api.of(endpoint_state="failed")
    created = api.read(api.create())
    assert created["state"]["state"] == "failed"
    assert states(created) == ["running"]
    api.world.switch(endpoint_state="")
    assert api.read(created["id"])["state"]["state"] == "serving"


def test_one_key_only() -> None:
    """api_key refuses every other key."""
    api = Api.of(api_key="right")
    assert api.send("GET", "/endpoints", headers={"authorization": "Bearer right"})[0] == 200
    assert outcome(api.send("GET", "/endpoints", headers={"authorization": "Bearer wrong"})) == (
        403,
        "INVALID_API_KEY",
    )


def test_a_profile_is_a_value() -> None:
    """Two default profiles are equal, and their mappings are not shared."""
    assert Profile() == Profile()
    assert Profile().limits is not Profile().limits
