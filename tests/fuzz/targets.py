"""What is damaged, and which command then has to live with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import click
import yaml

from reconciler.cli.main import COMMANDS, cli
from reconciler.inventory.journal import encode_line
from tests.fuzz.estate import MAP, Estate
from tests.fuzz.mutating import TEXTS, as_bytes, changed, damaged, spoiled

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


def command(dice: Random, deeds: float = 0.4) -> Arguments:
    return (dice.choice(DEEDS) if dice.random() < deeds else dice.choice(LOOKS)).split()


def inventory(dice: Random, estate: Estate) -> Arguments:
    """The map, its backup, its journal, the history, the note of the lock, and what was approved."""
    estate.restore(dice.choice(("calm", "cut")))
    files = [path for path in sorted((estate.root / "state").iterdir()) if path.name != ".gitignore"]
    path = dice.choice([*files, estate.root / MAP, estate.root / MAP])
    data = path.read_bytes()
    if path.suffix == ".journal":
        data = _lines(dice, data, _journal_line)
    elif path.suffix == ".jsonl":
        data = _lines(dice, data, spoiled)
    elif data:
        data = spoiled(dice, data)
    else:
        data = damaged(dice, data)
    path.write_bytes(data)
    return command(dice)


def _lines(dice: Random, data: bytes, spoil: Callable[[Random, bytes], bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines or dice.random() < 0.3:
        return damaged(dice, data)
    at = dice.randrange(len(lines))
    return b"".join((*lines[:at], spoil(dice, lines[at].rstrip(b"\n")) + b"\n", *lines[at + 1 :]))


def _journal_line(dice: Random, line: bytes) -> bytes:
    """Other steps under a right checksum."""
    steps = json.loads(line)["steps"]
    spoiled_steps = changed(dice, steps)
    if not isinstance(spoiled_steps, list):
        return damaged(dice, line)
    return encode_line([json.dumps(step).encode() for step in spoiled_steps]).rstrip(b"\n")


def saved_plan(dice: Random, estate: Estate) -> Arguments:
    """What `plan --out` wrote."""
    estate.restore("calm")
    path = estate.root / "saved.plan"
    document = json.loads(path.read_bytes())
    if dice.random() < 0.6:
        document["saved_plan"] = changed(dice, document["saved_plan"])
        path.write_bytes(json.dumps(document).encode())
    else:
        path.write_bytes(spoiled(dice, path.read_bytes()))
    return ["apply", "saved.plan", "--yes", *dice.choice((["--json"], ["--json"], ["--events"]))]


def answers(dice: Random, estate: Estate) -> Arguments:
    """What Novita says, on any call."""
    estate.restore(dice.choice(("calm", "calm", "cut")))
    estate.answers.begin(str(dice.random()), dice.choice((0.05, 0.1, 0.3, 0.3, 1.0)))
    return command(dice, 0.3)


def _yaml(dice: Random, data: bytes) -> bytes:
    return spoiled(dice, data, yaml.safe_load)


def declarations(dice: Random, estate: Estate) -> Arguments:
    """endpoints.yaml, an overlay, specs.yaml, config.yaml, and JSON beside them."""
    estate.restore("calm")
    name = dice.choice(("endpoints.yaml", "endpoints.yaml", "overlay.yaml", "specs.yaml", "config.yaml"))
    path = estate.root / name
    path.write_bytes(_yaml(dice, path.read_bytes()))
    files = ["-f", "endpoints.yaml", "-f", "overlay.yaml"] if name == "overlay.yaml" else []
    # in config.yaml stands how long a run waits
    found = ["validate"] if dice.random() < 0.3 else command(dice, 0 if name == "config.yaml" else 0.3)
    return [*files, *found, *(["--json"] if found == ["validate"] and dice.random() < 0.3 else [])]


def dotenv(dice: Random, estate: Estate) -> Arguments:
    """The file of `--env-file`."""
    estate.restore("calm")
    path = estate.root / ".env"
    path.write_bytes(damaged(dice, path.read_bytes()))
    if dice.random() < 0.2:
        return ["update", "byhand", "--env-file", ".env", "--yes", "--json"]
    return ["validate"] if dice.random() < 0.3 else command(dice, 0.3)


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
"""Options that show secrets, or agree."""


def _options() -> dict[str, tuple[tuple[str, bool], ...]]:
    """The options of every command, with whether they take a value."""
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
    "import": ["--all", "--out", "made.yaml"],
    "state": ["list"],
    "schema": ["endpoints"],
    "completion": ["bash"],
}


def arguments(dice: Random, estate: Estate) -> Arguments:
    """Any words after any command; `--yes` only where it is about one endpoint."""
    estate.restore(dice.choice(("calm", "cut")))
    name = dice.choice(tuple(OPTIONS))
    found = [name]
    if dice.random() < 0.7:
        found += TYPICAL.get(name, ())
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        if not OPTIONS[name] or dice.random() < 0.2:
            found.append(_word(dice))
            continue
        option, takes_value = dice.choice(OPTIONS[name])
        value = [_word(dice)] if takes_value or dice.random() < 0.02 else []
        found += [f"{option}={value[0]}"] if value and dice.random() < 0.3 else [option, *value]
    if name in ("deploy", "update", "scale", "delete") and dice.random() < 0.4:
        found += ["--yes", "--json"]
    return [word.replace("\0", "") for word in found]  # no argument can hold one


def _word(dice: Random) -> str:
    if dice.random() < 0.5:
        return dice.choice(WORDS)
    text = dice.choice(TEXTS)
    if dice.random() < 0.2:
        text = damaged(dice, as_bytes(dice.choice((text, *WORDS)))).decode(errors="surrogateescape")
    # One word of a command line holds 128 KiB at most, halves of characters come as their bytes, and no path
    # begins at the root of the machine that runs this.
    return as_bytes(text)[:60_000].decode(errors="surrogateescape").lstrip("/")


TARGETS: Final[Mapping[str, Callable[[Random, Estate], Arguments]]] = {
    "inventory": inventory,
    "saved-plan": saved_plan,
    "answers": answers,
    "yaml": declarations,
    "dotenv": dotenv,
    "arguments": arguments,
}
