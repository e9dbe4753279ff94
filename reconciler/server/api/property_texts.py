"""The meanings of the properties of the HTTP API, for the OpenAPI document and its pages."""

from __future__ import annotations

from typing import Final

_NOT_AT_NOVITA: Final = "Novita has no such value."

MEANINGS: Final = {
    name: {"description": text}
    for text, names in {
        _NOT_AT_NOVITA: "description imagePrefix imageDigest imageLastChecked latestImage scaleUpThreshold"
        " scaleUpCooldown scaleDownCooldown priority enableDynamicPrio highLoadThreshold priorityBoost"
        " lastScaleTime lastTaskTime firstPendingTime enablePtrace maxPendingTasks totalTasks completedTasks"
        " failedTasks current_jobs currentJobs jobs_in_progress last_heartbeat lastHeartbeat"
        " totalTasksCompleted totalTasksFailed totalExecutionTimeMs",
        "The name.": "name displayName",
        "The name of the endpoint.": "endpoint",
        "The address of a resource, such as `novita_endpoint.chat`.": "address",
        "The container image.": "image",
        "The variables of the workers.": "env",
        "The provider, the ID and the region.": "labels",
        "The number of workers.": "replicas",
        "The least number of workers.": "minReplicas",
        "The most workers.": "maxReplicas",
        "GPUs of one worker.": "gpuCount",
        "Seconds after which an idle worker is removed.": "taskTimeout scaleDownIdleTime",
        "Workers that run and are healthy.": "readyReplicas",
        "Workers that run.": "availableReplicas activeWorkerCount",
        "All workers.": "totalReplicas workerCount",
        "`DEGRADED` with fewer ready workers than the least, `UNHEALTHY` if it failed.": "healthStatus",
        "What keeps it from being healthy.": "healthMessage",
        "The state.": "status",
        "In words.": "message",
        "When it was created; the year 1 if Novita does not say.": "createdAt registered_at",
        "The same time as `createdAt`.": "updatedAt",
        "The ID of the worker.": "workerId pod_name podName",
        "The ID.": "id",
        "Requests that a worker serves at once.": "concurrency",
        "The state of the worker as Novita reports it.": "podPhase",
        "That state in the words of Waverless.": "podStatus",
        "Why it has that state.": "podReason reason why failureReason",
        "That in words.": "podMessage",
        "What happened.": "eventType",
        "The state before.": "oldStatus",
        "The state after.": "newStatus",
        "`gpu` or `cpu`, as specs.yaml has it.": "category",
        "As specs.yaml has it.": "resourceType",
        "The size of a worker.": "resources",
        "The shape on each platform.": "platforms",
        "Endpoints that mount it.": "mountedBy",
        "As network storages always are.": "accessModes",
        "One object for each environment.": "environments",
        "When the account was read last.": "checkedAt",
        "When a round succeeded last.": "succeededAt",
        "When the next round begins.": "nextRoundAt",
        "The result of the last round.": "result",
        "Reasons why no change is made.": "paused",
        "The plan that waits for an approval.": "waiting",
        "Each managed resource.": "endpoints",
        "Fields that were changed outside of reconciler.": "driftedFields",
        "Since when it waits.": "since",
        "The revision of the files.": "revision",
        "The changes in one line.": "summary",
        "More about it.": "details",
        "The spec that is meant.": "spec",
        "All problems, as `--json` prints them.": "problems",
    }.items()
    for name in names.split()
}
"""The meaning of a property wherever an object has it, unless its schema says more."""
