"""Examples in the help of each command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "init": ("reconciler init", "reconciler -C infra init"),
    "convert": (
        "reconciler convert compose.yaml",
        "reconciler convert compose.yaml --out endpoints.yaml --env-out .env",
        "docker compose config | reconciler convert - --from docker-compose",
    ),
    "validate": ("reconciler validate", "reconciler validate --json"),
    "plan": (
        "reconciler plan",
        "reconciler plan --target 'chat*' --explain",
        "reconciler plan --out prod.plan --detailed-exitcode",
    ),
    "show": ("reconciler show prod.plan", "reconciler show prod.plan --json"),
    "apply": (
        "reconciler apply",
        "reconciler apply prod.plan",
        "reconciler apply --auto-approve --wait 10m -m 'Release 1.4.2'",
        "reconciler apply --replace chat",
    ),
    "destroy": ("reconciler destroy",),
    "drift": ("reconciler drift", "reconciler drift --baseline drift.json --json-into drift.json"),
    "drift accept": ("reconciler drift accept chat",),
    "drift revert": ("reconciler drift revert", "reconciler drift revert chat --auto-approve"),
    "preview": ("reconciler preview", "reconciler preview --curl --target chat"),
    "graph": ("reconciler graph", "reconciler graph --mermaid", "reconciler graph --json"),
    "output": (
        "reconciler output",
        'curl "$(reconciler output chat)/health"',
        'reconciler output --env >> "$GITHUB_ENV"',
    ),
    "list": ("reconciler list", "reconciler list --output wide", "reconciler list --json"),
    "get": ("reconciler get chat",),
    "status": ("reconciler status", "reconciler status chat --json"),
    "call": (
        "reconciler call chat --path /health",
        'reconciler call chat \'{"prompt": "Hello"}\' --path /v1/completions --stream',
        "reconciler call chat @request.json --header 'Authorization: Bearer ${env:CHAT_KEY}'",
    ),
    "probe": ("reconciler probe", "reconciler probe chat --json"),
    "cost": ("reconciler cost", "reconciler cost --json"),
    "watch": ("reconciler watch", "reconciler watch chat --for 10m"),
    "open": ("reconciler open chat", "reconciler open"),
    "history": ("reconciler history chat", "reconciler history --json"),
    "specs": ("reconciler specs",),
    "logs": ("reconciler logs chat",),
    "pods": ("reconciler pods chat",),
    "pvcs": ("reconciler pvcs",),
    "deploy": ("reconciler deploy trial --image ghcr.io/acme/chat:1.5.0 --spec novita-5090-single",),
    "update": (
        "reconciler update chat --image ghcr.io/acme/chat:1.4.3",
        "reconciler update chat --env-file chat.env",
    ),
    "scale": (
        "reconciler scale chat 3",
        "reconciler scale chat 4 --for 6h --why 'the launch'",
        "reconciler scale chat --min 0 --max 5 --write",
    ),
    "restart": ("reconciler restart chat --wait",),
    "rollback": (
        "reconciler rollback chat",
        "reconciler rollback chat 3 --write -m 'Version 1.5.0 is too slow'",
    ),
    "delete": ("reconciler delete trial",),
    "import": (
        "reconciler import --all --out endpoints.yaml",
        "reconciler import chat 4dc4b35077908f59",
    ),
    "recover": ("reconciler recover",),
    "state": ("reconciler state list",),
    "state list": ("reconciler state list",),
    "state show": ("reconciler state show chat",),
    "state rm": ("reconciler state rm chat",),
    "state fold": ("reconciler state fold",),
    "state rebuild": ("reconciler state rebuild",),
    "state pull": ("reconciler state pull -o backup.json", "reconciler state pull --previous"),
    "state push": ("reconciler state push backup.json",),
    "state copy": ("reconciler state copy state/novita.json 's3://acme-infra/prod'",),
    "state lock-info": ("reconciler state lock-info", "reconciler state lock-info --json"),
    "state unlock": ("reconciler state unlock 7c2f6a10",),
    "env": ("reconciler env list",),
    "env list": ("reconciler env list",),
    "env diff": ("reconciler env diff dev prod",),
    "pin": ("reconciler pin", "reconciler pin chat --update", "reconciler pin --check"),
    "doctor": ("reconciler doctor", "reconciler doctor --json", "reconciler doctor --probe-api"),
    "approve": ("reconciler approve 3f0c5a7e9b12",),
    "explain": ("reconciler explain policy.type", "reconciler explain config.drift.ignore"),
    "schema": ("reconciler schema > .reconciler/endpoints.schema.json",),
    "run": ("reconciler run", "reconciler run --once", "reconciler run -e prod --poll 30s --interval 5m"),
    "serve": ("reconciler serve", "reconciler serve --listen 127.0.0.1:9000"),
    "mcp": ("reconciler mcp",),
    "simulator": ("reconciler simulator --port 8080",),
    "completion": ("reconciler completion --install", 'eval "$(reconciler completion bash)"'),
    "version": ("reconciler version", "reconciler version --json"),
}
"""Command -> lines to type."""


def examples_of(command_path: str) -> tuple[str, ...]:
    """Return the examples of a command by its path, such as `reconciler drift accept`."""
    return EXAMPLES.get(command_path.removeprefix("reconciler "), ())
