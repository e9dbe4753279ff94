"""The usage section of the original provider, line by line in Python.

    NOVITA_API_KEY=... python examples/sdk/seed_usage.py FOLDER

FOLDER holds config.yaml and specs.yaml, such as a copy of examples/seed. The script deletes what it creates.
"""

from __future__ import annotations

import sys
import threading

from reconciler import (
    DeployRequest,
    NovitaDeploymentProvider,
    ReplicaEvent,
    UnsupportedByNovita,
    UpdateDeploymentRequest,
)


def main(folder: str) -> None:
    with NovitaDeploymentProvider.from_config(folder) as provider:
        use(provider)


def use(provider: NovitaDeploymentProvider) -> None:
    # Watch Status Changes
    stop = threading.Event()
    reported = threading.Event()

    def on_event(event: ReplicaEvent) -> None:
        conditions = ", ".join(f"{condition.type}={condition.status}" for condition in event.conditions)
        print(
            f"[{event.name}] Status changed: desired={event.desired_replicas},"
            f" ready={event.ready_replicas}, available={event.available_replicas}, status={conditions}"
        )
        reported.set()

    watcher = threading.Thread(
        target=provider.watch_replicas,
        args=(on_event,),
        kwargs={"poll_interval": 0.2, "stop": stop, "initial": True},
    )
    watcher.start()

    # Deploy Endpoint
    request = DeployRequest(
        endpoint="my-inference-endpoint",
        spec_name="novita-5090-single",
        image="your-docker-image:latest",
        replicas=2,
        task_timeout=1200,  # Task timeout in seconds
        env={"MODEL_NAME": "llama-3-70b"},
    )
    response = provider.deploy(request)
    print(f"{response.endpoint}: {response.message}")

    # The complete request, with all fields
    complete = DeployRequest(
        endpoint="base-test",
        spec_name="novita-5090-single",
        image="ubuntu:22.04",
        replicas=3,
        task_timeout=1200,
        max_pending_tasks=10,
        env={"MODEL_NAME": "llama-3-70b", "MODEL_VERSION": "v1.0"},
        min_replicas=1,
        max_replicas=10,
        scale_up_threshold=2,
        scale_down_idle_time=300,
        scale_up_cooldown=30,
        scale_down_cooldown=60,
        priority=50,
        enable_dynamic_prio=True,
        high_load_threshold=10,
        priority_boost=20,
    )

    # Preview Deployment Configuration
    print(provider.preview_deployment(complete))
    provider.deploy(complete)

    # Scale Endpoint: to 5 workers
    provider.scale_app("base-test", 5)

    # Get Endpoint Status: detailed info, then status only
    app = provider.get_app("base-test")
    print(f"Status: {app.status}, Replicas: {app.ready_replicas}/{app.replicas}")
    status = provider.get_app_status("base-test")
    print(f"Ready Workers: {status.ready_replicas}/{status.total_replicas}")

    # List All Endpoints
    for app in provider.list_apps():
        print(f"Endpoint: {app.name}, Status: {app.status}, Replicas: {app.ready_replicas}/{app.replicas}")

    # Update Deployment
    provider.update_deployment(
        UpdateDeploymentRequest(
            endpoint="my-inference-endpoint",
            image="new-image:v2",
            replicas=3,
            env={"MODEL_VERSION": "v2"},
        )
    )

    # Specs
    for spec in provider.list_specs():
        print(f"{spec.name}: {spec.gpu}x {spec.gpu_type} in {spec.region}")
    print(provider.get_spec("novita-5090-single").product_id)

    # Not offered by Novita's API
    for call in (
        lambda: provider.get_app_logs("base-test"),
        lambda: provider.get_pods("base-test"),
        provider.list_pvcs,
    ):
        try:
            call()
        except UnsupportedByNovita as error:
            print(error)

    # Delete Endpoint, after the watch has reported it
    reported.wait(30)
    provider.delete_app("base-test")
    provider.delete_app("my-inference-endpoint")

    stop.set()
    watcher.join()


if __name__ == "__main__":
    main(sys.argv[1])
