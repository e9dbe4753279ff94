"""The documents that are damaged, and the commands that then read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import click
import yaml

from reconciler.cli.main import COMMANDS, cli
from reconciler.inventory.journal import encode_line
from tests.fuzz.foreign import foreign
from tests.fuzz.mutations import TEXTS, as_bytes, change_values, damage_bytes, damage_or_change
from tests.fuzz.workspace import MAP, Workspace

Arguments = list[str]

LOOKS: Final = (
    "plan",
    "plan",
    "plan --json",
    "plan --explain",
    "plan --detailed-exitcode --out new.plan",
    "plan --markdown-into r.md --html-into r.html --junit-into r.xml --json-into r.json",
    "plan --destroy",
    "plan --target chat --no-delete",
    "preview",
    "preview --json",
    "preview --create",
    "preview --curl",
    "drift",
    "drift --json",
    "drift --markdown-into r.md --html-into r.html --junit-into r.xml",
    "recover",
    "recover --json",
    "list",
    "list --json",
    "list --output wide",
    "status",
    "status --json",
    "get chat",
    "get chat --json",
    "logs chat",
    "state list",
    "state show chat",
    "state rebuild",
    "history",
    "history chat --json",
    "import --all --out made.yaml",
    "doctor",
    "doctor --json",
)
DEEDS: Final = (
    "apply --yes --json",
    "apply --yes --json",
    "apply --yes --json --adopt --allow-delete 9 --create-first",
    "apply --yes --json --resume",
    "apply --yes --events",
    "destroy --yes --json",
    "drift revert --yes --json",
    "drift accept chat",
    "rollback chat --yes --json",
    "rollback batch 1 --yes --json",
    "scale batch 3 --yes --json",
    "scale batch --end-lease --yes --json",
    "update byhand --image x:2 --yes --json",
    "delete byhand --yes --json",
    "state rm chat",
)


def command(rng: Random, write_rate: float = 0.4) -> Arguments:
    return (rng.choice(DEEDS) if rng.random() < write_rate else rng.choice(LOOKS)).split()


def inventory(rng: Random, workspace: Workspace) -> Arguments:
    """Damage the inventory, its backup, its journal, the history, the lock note or the approved plan."""
    workspace.restore(rng.choice(("calm", "cut")))
    files = [path for path in sorted((workspace.root / "state").iterdir()) if path.name != ".gitignore"]
    path = rng.choice([*files, workspace.root / MAP, workspace.root / MAP])
    data = path.read_bytes()
    if path.suffix == ".journal":
        data = _lines(rng, data, _journal_line)
    elif path.suffix == ".jsonl":
        data = _lines(rng, data, damage_or_change)
    elif data:
        data = damage_or_change(rng, data)
    else:
        data = damage_bytes(rng, data)
    path.write_bytes(data)
    return command(rng)


def _lines(rng: Random, data: bytes, spoil: Callable[[Random, bytes], bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines or rng.random() < 0.3:
        return damage_bytes(rng, data)
    at = rng.randrange(len(lines))
    return b"".join((*lines[:at], spoil(rng, lines[at].rstrip(b"\n")) + b"\n", *lines[at + 1 :]))


def _journal_line(rng: Random, line: bytes) -> bytes:
    """Change the steps of a line and correct its checksum."""
    steps = json.loads(line)["steps"]
    spoiled_steps = change_values(rng, steps)
    if not isinstance(spoiled_steps, list):
        return damage_bytes(rng, line)
    return encode_line([json.dumps(step).encode() for step in spoiled_steps]).rstrip(b"\n")


def saved_plan(rng: Random, workspace: Workspace) -> Arguments:
    """Damage a saved plan."""
    workspace.restore("calm")
    path = workspace.root / "saved.plan"
    document = json.loads(path.read_bytes())
    if rng.random() < 0.6:
        document["saved_plan"] = change_values(rng, document["saved_plan"])
        path.write_bytes(json.dumps(document).encode())
    else:
        path.write_bytes(damage_or_change(rng, path.read_bytes()))
    return ["apply", "saved.plan", "--yes", *rng.choice((["--json"], ["--json"], ["--events"]))]


def answers(rng: Random, workspace: Workspace) -> Arguments:
    """Damage the responses of Novita."""
    workspace.restore(rng.choice(("calm", "calm", "cut")))
    workspace.answers.begin(str(rng.random()), rng.choice((0.05, 0.1, 0.3, 0.3, 1.0)))
    return command(rng, 0.3)


def _yaml(rng: Random, data: bytes) -> bytes:
    return damage_or_change(rng, data, yaml.safe_load)


def declarations(rng: Random, workspace: Workspace) -> Arguments:
    """Damage endpoints.yaml, an overlay, specs.yaml, config.yaml or a JSON file."""
    workspace.restore("calm")
    name = rng.choice(("endpoints.yaml", "endpoints.yaml", "overlay.yaml", "specs.yaml", "config.yaml"))
    path = workspace.root / name
    path.write_bytes(_yaml(rng, path.read_bytes()))
    files = ["-f", "endpoints.yaml", "-f", "overlay.yaml"] if name == "overlay.yaml" else []
    # in config.yaml stands how long a run waits
    found = ["validate"] if rng.random() < 0.3 else command(rng, 0 if name == "config.yaml" else 0.3)
    return [*files, *found, *(["--json"] if found == ["validate"] and rng.random() < 0.3 else [])]


def dotenv(rng: Random, workspace: Workspace) -> Arguments:
    """Damage the file of `--env-file`."""
    workspace.restore("calm")
    path = workspace.root / ".env"
    path.write_bytes(damage_bytes(rng, path.read_bytes()))
    if rng.random() < 0.2:
        return ["update", "byhand", "--env-file", ".env", "--yes", "--json"]
    return ["validate"] if rng.random() < 0.3 else command(rng, 0.3)


WORDS: Final = (
    *(
        "chat",
        "byhand",
        "batch",
        "nobody",
        "saved.plan",
        "endpoints.yaml",
        "state",
        "small",
        "x=y",
        "c*",
        ".",
    ),
    *("list", "rebuild", "show", "rm", "revert", "accept", "bash", "endpoints", "wide", "ubuntu:22.04"),
    *("3", "-3", "1", "0", "10m", "6h", "1s", "00", "1e3", "0x1"),
)
ENDLESS: Final = ("simulator", "watch")
NOT_GIVEN: Final = ("--reveal", "--env-out", "--yes", "--auto-approve")
"""Options that show secrets or approve."""


def _options() -> dict[str, tuple[tuple[str, bool], ...]]:
    """Return the options of every command, and whether each takes a value."""
    found: dict[str, tuple[tuple[str, bool], ...]] = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        options = [one for one in command.params if isinstance(one, click.Option)]
        found[name] = tuple(
            (spelling, not one.is_flag)
            for one in options
            for spelling in one.opts
            if not set(one.opts) & set(NOT_GIVEN)
        )
    return found


OPTIONS: Final = {name: found for name, found in _options().items() if name not in ENDLESS}
TYPICAL: Final[Mapping[str, Arguments]] = {
    "get": ["chat"],
    "history": ["chat"],
    "rollback": ["chat"],
    "deploy": ["made", "--image", "x:1", "--spec", "small"],
    "update": ["byhand"],
    "scale": ["batch"],
    "delete": ["byhand"],
    "convert": ["compose.yaml"],
    "import": ["--all", "--out", "made.yaml"],
    "state": ["list"],
    "schema": ["endpoints"],
    "completion": ["bash"],
}


def arguments(rng: Random, workspace: Workspace) -> Arguments:
    """Add random words to a command; `--yes` only if it concerns one endpoint."""
    workspace.restore(rng.choice(("calm", "cut")))
    name = rng.choice(tuple(OPTIONS))
    found = [name]
    if rng.random() < 0.7:
        found += TYPICAL.get(name, ())
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        if not OPTIONS[name] or rng.random() < 0.2:
            found.append(_word(rng))
            continue
        option, takes_value = rng.choice(OPTIONS[name])
        value = [_word(rng)] if takes_value or rng.random() < 0.02 else []
        found += [f"{option}={value[0]}"] if value and rng.random() < 0.3 else [option, *value]
    if name in ("deploy", "update", "scale", "delete") and rng.random() < 0.4:
        found += ["--yes", "--json"]
    return [word.replace("\0", "") for word in found]  # no argument can hold one


def _word(rng: Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(WORDS)
    text = rng.choice(TEXTS)
    if rng.random() < 0.2:
        text = damage_bytes(rng, as_bytes(rng.choice((text, *WORDS)))).decode(errors="surrogateescape")
    # One word of a command line holds 128 KiB at most, halves of characters come as their bytes, and no path
    # begins at the root of the machine that runs this.
    return as_bytes(text)[:60_000].decode(errors="surrogateescape").lstrip("/")


TARGETS: Final[Mapping[str, Callable[[Random, Workspace], Arguments]]] = {
    "inventory": inventory,
    "saved-plan": saved_plan,
    "answers": answers,
    "yaml": declarations,
    "dotenv": dotenv,
    "arguments": arguments,
    "foreign": foreign,
}
