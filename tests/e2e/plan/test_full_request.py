"""The complete request of the provider that this tool follows, declared as it stands."""

from typing import Any

from tests.e2e.sandbox import Sandbox

REQUEST: dict[str, Any] = {
    "endpoint": "base-test",
    "specName": "novita-5090-single",
    "image": "ubuntu:22.04",
    "replicas": 3,
    "taskTimeout": 1200,
    "maxPendingTasks": 10,
    "env": {"MODEL_NAME": "llama-3-70b", "MODEL_VERSION": "v1.0"},
    "minReplicas": 1,
    "maxReplicas": 10,
    "scaleUpThreshold": 2,
    "scaleDownIdleTime": 300,
    "scaleUpCooldown": 30,
    "scaleDownCooldown": 60,
    "priority": 50,
    "enableDynamicPrio": True,
    "highLoadThreshold": 10,
    "priorityBoost": 20,
}

CONFIG = """\
providers:
  deployment: "novita"  # Switch from k8s to novita

novita:
  enabled: true
  api_key: "your-novita-api-key-here"     # Your Novita API key (Bearer token)
  base_url: "https://api.novita.ai"       # Novita API base URL
  config_dir: "./config"                   # Configuration directory (contains specs.yaml)
  poll_interval: 10                        # Status polling interval in seconds (default: 10)
"""

SPECS = """\
specs:
  - name: "novita-5090-single"
    displayName: "Novita 5090 1x GPU"
    category: "gpu"
    resourceType: "serverless"
    resources:
      gpu: "1"
      gpuType: "NVIDIA GeForce RTX 5090"
      cpu: "12"
      memory: "50"
      ephemeralStorage: "100"  # Rootfs size in GB
    platforms:
      novita:
        productId: "SL-serverless-3"  # Get from Novita Console
        region: "us-dallas-nas-2"     # Region/cluster ID
        cudaVersion: "any"             # Optional: CUDA version
"""

BODY = {
    "endpoint": {
        "name": "base-test",
        "appName": "base-test",
        "workerConfig": {
            "minNum": 1,
            "maxNum": 10,
            "freeTimeout": 1200,
            "maxConcurrent": 1,
            "gpuNum": 1,
            "requestTimeout": 3600,
            "cudaVersion": "any",
        },
        "ports": [{"port": 8000}],
        "policy": {"type": "concurrency", "value": 2},
        "image": {"image": "ubuntu:22.04"},
        "products": [{"id": "SL-serverless-3"}],
        "rootfsSize": 100,
        "volumeMounts": [],
        "clusterID": "us-dallas-nas-2",
        "envs": [
            {"key": "MODEL_NAME", "value": "llama-3-70b"},
            {"key": "MODEL_VERSION", "value": "v1.0"},
        ],
        "healthy": {"path": "/health"},
    }
}


def test_the_complete_request_becomes_one_create(sandbox: Sandbox) -> None:
    """Its item plans one create, previews as the mapping table says, and is then what the account holds."""
    (sandbox.root / "specs.yaml").unlink()
    sandbox.write("config.yaml", CONFIG)
    sandbox.write("config/specs.yaml", SPECS)
    sandbox.declare(REQUEST)
    planned = sandbox.plan()
    assert planned.code == 2
    assert planned.actions == {"base-test": "create"}
    assert planned.document["summary"]["create"] == 1
    previewed = sandbox.run("preview", "--json")
    assert previewed.code == 0
    assert previewed.document == [
        {
            "address": "novita_endpoint.base-test",
            "action": "create",
            "method": "POST",
            "url": f"{sandbox.sim.url}/gpu-instance/openapi/v1/endpoint/create",
            "body": BODY,
        }
    ]
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert sandbox.live()["base-test"]["workerConfig"]["maxNum"] == 10


def test_what_is_never_sent_is_said(sandbox: Sandbox) -> None:
    """Fields without a counterpart get one warning, and fields that lose to others a note each."""
    sandbox.write("specs.yaml", SPECS)
    sandbox.declare(REQUEST)
    told = {problem["code"]: problem for problem in sandbox.plan().document["problems"]}
    assert told["never-sent"]["severity"] == "warning"
    for name in ("maxPendingTasks", "priority", "enableDynamicPrio", "highLoadThreshold", "priorityBoost"):
        assert name in told["never-sent"]["summary"]
    assert told["precedence"]["severity"] == "note"
