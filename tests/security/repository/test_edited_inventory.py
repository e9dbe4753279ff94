"""Files that somebody edited, or sent: refused at reading with the place and the way out, and no crash."""

import copy
import json
import random
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e.sandbox import Sandbox, item

STATE: Final = "state/novita.json"
DIGITS: Final = "9" * 5000
TOWER: Final = "[" * 60 + "]" * 60
RAW: Final = "\N{SNOWMAN}"
"""Marks a string that stands in the file without its quotes."""

SEAL: Final = {"hmac-sha256": "a" * 64, "key": "b" * 12}

MAPS = [
    # what of the record of `chat` is set to what
    (("applied", "envs"), None),
    (("applied", "envs"), {"A": [1]}),
    (("applied", "envs"), {"A": {"hmac-sha256": "zz", "key": "q"}}),
    (("applied", "envs"), {"A": {"hmac-sha256": SEAL, "key": "b" * 12}}),
    (("applied", "volumeMounts"), {"/x": None}),
    (("applied", "workerConfig"), {"minNum": {"a": 1}}),
    (("applied", "image"), "x"),
    (("applied", "ports"), {"port": 1}),
    (("applied", "ports"), [None]),
    (("applied", "products"), [["id"]]),
    (("applied", "name"), ["chat"]),
    (("applied", "name"), "\ud800"),
    (("applied", "rootfsSize"), f"{RAW}{DIGITS}"),
    (("applied", "rootfsSize"), f"{RAW}NaN"),
    (("applied", "rootfsSize"), f"{RAW}-Infinity"),
    (("applied", "rootfsSize"), f"{RAW}1e999"),
    (("applied", "rootfsSize"), 2**70),
    (("applied", "other"), f"{RAW}{TOWER}"),
    (("applied", "policy"), f'{RAW}{{"type": "queue", "type": "queue"}}'),
    (("applied",), "x"),
    (("id",), ""),
    (("id",), 5),
    (("id",), "a\nb"),
    (("lease",), {"min": True, "max": True, "until": "2026-01-31T12:00:00Z", "why": ""}),
    (("lease",), {"min": 1, "max": 2**70, "until": "2026-01-31T12:00:00Z", "why": ""}),
    (("lease",), {"min": 1, "max": 2, "until": "soon", "why": ""}),
    (("called",), None),
    (("prevent_destroy",), 1),
]


def as_text(value: Any) -> str:
    """The JSON of a value, in which marked strings stand as they are."""
    pieces = json.dumps(value, indent=2).split(json.dumps(RAW)[1:-1])
    text = pieces[0]
    for piece in pieces[1:]:
        raw, rest = json.JSONDecoder().raw_decode('"' + piece)
        text = text[:-1] + raw + ('"' + piece)[rest:]
    return text


def applied(sandbox: Sandbox) -> dict[str, Any]:
    """An inventory on disk, and the document in it."""
    sandbox.declare(item("chat", env={"A": "1"}), item("embed"))
    sandbox.apply()
    document: dict[str, Any] = json.loads((sandbox.root / STATE).read_text())
    return document


def put(tree: Any, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        tree = tree[step]
    tree[path[-1]] = value


def refused(sandbox: Sandbox, *command: str) -> str:
    """What a command says that must be refused without having written or sent anything."""
    before = sandbox.files(), len(sandbox.sent())
    ran = sandbox.run(*command)
    assert ran.code == 1, (command, ran.out)
    assert "has a bug" not in ran.err
    assert (sandbox.files(), len(sandbox.sent())) == before
    return ran.err


@pytest.mark.parametrize(("path", "value"), MAPS)
def test_a_map_that_was_edited_is_refused(sandbox: Sandbox, path: tuple[str, ...], value: Any) -> None:
    document = applied(sandbox)
    put(document["endpoints"]["chat"], path, value)
    sandbox.write(STATE, as_text(document))
    for command in (["plan"], ["apply", "--yes"], ["destroy", "--yes"], ["state", "list"], ["drift"]):
        told = refused(sandbox, *command)
        assert "novita.json" in told
        assert "state rebuild" in told
    assert sandbox.run("state", "rebuild").code == 0
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_a_name_that_is_none_is_refused(sandbox: Sandbox, name: str) -> None:
    document = applied(sandbox)
    document["endpoints"][name] = document["endpoints"].pop("chat")
    sandbox.write(STATE, json.dumps(document))
    assert "state rebuild" in refused(sandbox, "plan")


@pytest.mark.parametrize(("path", "value"), MAPS)
def test_a_journal_that_was_edited_is_refused(sandbox: Sandbox, path: tuple[str, ...], value: Any) -> None:
    """The checksum fits, for whoever edits it can sum as well."""
    record = {"name": "new", **applied(sandbox)["endpoints"]["chat"]}
    put(record, path, value)
    payload = as_text([{"record": record}]).replace("\n", "").encode()
    line = b'{"crc32":"%08x","steps":%s}\n' % (zlib.crc32(payload), payload)
    (sandbox.root / f"{STATE}.journal").write_bytes(line)
    told = refused(sandbox, "apply", "--yes")
    assert "Line 1 of the journal" in told
    assert "state rebuild" in told


@pytest.mark.parametrize("text", [f"{RAW}{DIGITS}", f"{RAW}{'[' * 5000}", {"a": 1}, [1], None, "x"])
@pytest.mark.parametrize("key", ["changes", "key", "base_url", "back_to", "restoring", "format", "commit"])
def test_a_saved_plan_that_was_edited_is_refused(sandbox: Sandbox, key: str, text: Any) -> None:
    applied(sandbox)
    sandbox.declare(item("chat", env={"A": "2"}), item("embed"))
    assert sandbox.run("plan", "--out", "prod.plan").code == 0
    document = json.loads((sandbox.root / "prod.plan").read_text())
    document["saved_plan"][key] = text
    sandbox.write("prod.plan", as_text(document))
    ran = sandbox.run("apply", "prod.plan")
    is_meant = text is None and key in ("commit", "back_to")
    assert ran.code == 0 if is_meant else ran.code in (1, 6)
    assert "has a bug" not in ran.err
    assert is_meant or len(sandbox.sent("update")) == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", f"{RAW}{DIGITS}"),
        ("number", True),
        ("number", -1),
        ("fields", {"envs": None}),
        ("fields", {"envs": {"A": {"reference": 5}}}),
        ("fields", {"image": ["x"]}),
        ("fields", f"{RAW}{TOWER}"),
        ("name", "\ud800"),
        ("name", 5),
        ("at", None),
        ("more", 1),
    ],
)
def test_a_version_that_was_edited_is_named(sandbox: Sandbox, key: str, value: Any) -> None:
    """It costs itself alone, and no `rollback` takes another one for the one before the last."""
    for tag in ("1", "2", "3"):
        sandbox.declare(item("chat", env={"A": tag}))
        sandbox.apply()
    first, second, third = (sandbox.root / f"{STATE}.history.jsonl").read_text().splitlines()
    edited = as_text({**json.loads(second), key: value}).replace("\n", "")
    sandbox.write(f"{STATE}.history.jsonl", f"{first}\n{edited}\n{third}\n")
    for told in (
        refused(sandbox, "rollback", "chat", "--yes"),
        (known := sandbox.run("history", "chat")).err,
    ):
        assert f"{STATE}.history.jsonl:2:1" in told
        assert f"sed -i 2d {STATE}.history.jsonl" in told
    assert known.code == 0
    assert sandbox.run("rollback", "chat", "1", "--yes").code == 0
    sandbox.write(f"{STATE}.history.jsonl", f'{first}\n{third}\n{{"torn": ')
    assert sandbox.run("history", "chat").err == ""


NUMBERS = {
    "hexadecimal": "0x" + "f" * 5000,
    "octal": "0o" + "7" * 5000,
    "old octal": "0" + "7" * 5000,
    "binary": "0b" + "1" * 5000,
    "decimal": DIGITS,
    "negative": f"-{DIGITS}",
    "sexagesimal": "1" + ":59" * 2000,
    "fraction": f"{DIGITS}.5",
    "exponent": f"1e{DIGITS}",
    "infinite": ".inf",
    "none": ".nan",
    "tagged": f"!!int {DIGITS}",
    "tagged infinite": "!!float -.inf",
    "tagged hexadecimal": "!!int 0x" + "f" * 5000,
}


@pytest.mark.parametrize("word", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("field", ["minReplicas: {}", "image: {}", "env: {{A: {}}}", "policy: {{value: {}}}"])
def test_a_number_that_nobody_can_keep_has_a_place(sandbox: Sandbox, field: str, word: str) -> None:
    text = "endpoints:\n- endpoint: chat\n  specName: small\n"
    sandbox.write(
        "endpoints.yaml", text + ("" if "image" in field else "  image: x:1\n") + f"  {field.format(word)}\n"
    )
    ran = sandbox.run("validate", "--json")
    problem = next(one for one in ran.document["problems"] if one["code"] == "ambiguous-value")
    assert ran.code == 1
    assert (problem["line"], problem["column"]) == (
        4 if "image" in field else 5,
        3 + field.format("@").index("@"),
    )
    assert len(ran.out) < 5000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "a: &a [x]\nb: &b [" + "*a," * 999 + "]\nc: &c [" + "*b," * 999 + "]\nd: [" + "*c," * 99 + "]",
            "alias-bomb",
        ),
        ("a: &a [*a]", "alias-loop"),
        ("[" * 5000, "too-deep"),
        ("- " * 5000, "too-deep"),
        ("a: !!python/object/apply:os.system [id]", "unknown-tag"),
        ("a: !!binary aGk=", "unknown-tag"),
        ("a: \x07", "not-text"),
        (b"a: \xff", "not-text"),
    ],
)
@pytest.mark.parametrize("name", ["endpoints.yaml", "specs.yaml", "config.yaml"])
def test_hostile_yaml_has_a_place(sandbox: Sandbox, name: str, text: str | bytes, code: str) -> None:
    sandbox.declare(item("chat"))
    (sandbox.root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = sandbox.run("validate", "--json")
    assert ran.code == 1
    found = [one for one in ran.document["problems"] if one["code"] == code]
    assert [one["file"] for one in found] == [name]
    assert found[0]["line"] >= 1


@pytest.mark.parametrize(
    "name",
    ["endpoints.yaml", "endpoints.json", "specs.yaml", "config.yaml", STATE, f"{STATE}.journal", "prod.plan"],
)
def test_a_file_of_20_gigabytes_is_not_read(sandbox: Sandbox, name: str) -> None:
    if not name.startswith("endpoints"):
        sandbox.declare(item("chat"))
    path = sandbox.write(name, "")
    with path.open("wb") as file:
        file.truncate(20 * 2**30)
    ran = sandbox.run(*(["apply", name] if name.endswith(".plan") else ["plan"]))
    assert ran.code == 1
    assert "larger than" in ran.err
    assert path.name in ran.err


HOSTILE: list[Any] = [
    *(value for _, value in MAPS),
    [],
    {},
    0,
    1.5,
    "",
    "x\u2028\x1b[31m",
    {"": ""},
    {"reference": 5},
    f"{RAW}{'9' * 4000}",
]
COMMANDS = [
    ["plan", "--json"],
    ["plan", "--explain", "--html-into", "r.html", "--junit-into", "r.xml", "--markdown-into", "r.md"],
    ["drift"],
    ["drift", "--baseline", "base.json"],
    ["drift", "accept", "chat"],
    ["state", "list"],
    ["state", "show", "chat"],
    ["history", "chat"],
    ["rollback", "chat"],
    ["list"],
    ["status"],
    ["doctor"],
    ["recover"],
    ["apply", "--resume"],
    ["apply", "prod.plan"],
    ["apply", "--yes"],
    ["scale", "chat", "2", "--yes"],
    ["destroy"],
]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _paths(value[key], (*path, key))


def _bent(document: Any, dice: random.Random) -> Any:
    """The document with one part replaced, renamed or gone."""
    document = copy.deepcopy(document)
    path = dice.choice(list(_paths(document)))
    if not path:
        return dice.choice(HOSTILE)
    tree = document
    for step in path[:-1]:
        tree = tree[step]
    match dice.randrange(8):
        case 0:
            del tree[path[-1]]
        case 1 if isinstance(tree, dict):
            tree[dice.choice(["", "\ud800", "a" * 300, "x\ny"])] = tree.pop(path[-1])
        case 2 if isinstance(tree, dict):
            tree["more"] = dice.choice(HOSTILE)
        case _:
            tree[path[-1]] = dice.choice(HOSTILE)
    return document


@pytest.mark.parametrize("seed", range(8))
def test_no_edit_of_a_file_of_ours_is_a_crash(sandbox: Sandbox, seed: int) -> None:
    """Forty edits: every command ends with words."""
    sandbox.monkeypatch.setenv("TOKEN", "the-token-itself")
    rich = {"command": "serve ${env:TOKEN}", "env": {"T": "${env:TOKEN}"}, "imageAuthId": "a"}
    mount = {"storage": [{"type": "local", "sizeGb": 3, "mountPath": "/x"}]}
    sandbox.declare(item("chat", **rich), item("embed", **mount))
    sandbox.apply()
    sandbox.declare(item("chat", port=9000, **rich), item("embed", **mount), item("new"))
    sandbox.run("plan", "--out", "prod.plan")
    sandbox.run("drift", "--json-into", "base.json")
    good = {
        name: (sandbox.root / name).read_text()
        for name in (STATE, f"{STATE}.history.jsonl", "prod.plan", "base.json")
    }
    promise = {"saved_plan": json.loads(good["prod.plan"])["saved_plan"]}
    record = json.loads(good[STATE])["endpoints"]["chat"]
    steps = [
        {"record": {"name": "chat", **record}},
        {"drop": "embed"},
        {
            "intent": {
                "name": "n",
                "known_ids": ["a"],
                "app_name": "n",
                "applied": {},
                "prevent_destroy": False,
            }
        },
        {"settled": "z"},
    ]
    dice = random.Random(seed)
    for _ in range(5):
        for name, text in good.items():
            sandbox.write(name, text)
        match dice.randrange(5):
            case 0:
                sandbox.write(f"{STATE}.approved.json", as_text(_bent(promise, dice)))
            case 1:
                payload = as_text(_bent(steps, dice)).replace("\n", "").encode()
                sandbox.write(
                    f"{STATE}.journal",
                    f'{{"crc32":"{zlib.crc32(payload):08x}","steps":{payload.decode()}}}\n',
                )
            case 2:
                first, *rest = good[f"{STATE}.history.jsonl"].splitlines()
                bent = as_text(_bent(json.loads(first), dice)).replace("\n", "")
                sandbox.write(f"{STATE}.history.jsonl", "\n".join((bent, *rest)) + "\n")
            case 3:
                sandbox.write("prod.plan", as_text(_bent(promise, dice)))
                sandbox.write("base.json", as_text(_bent(json.loads(good["base.json"]), dice)))
            case _:
                sandbox.write(STATE, as_text(_bent(json.loads(good[STATE]), dice)))
        for command in dice.sample(COMMANDS, 8):
            ran = sandbox.run(*command, typed="no\n")
            assert "has a bug" not in ran.out + ran.err, (seed, command)
        (sandbox.root / f"{STATE}.journal").unlink(missing_ok=True)
        (sandbox.root / f"{STATE}.approved.json").unlink(missing_ok=True)


def test_another_file_named_as_the_inventory_is_not_shown(sandbox: Sandbox) -> None:
    """The message has the position, and none of the text of a file that is no map at all."""
    sandbox.declare(item("chat"))
    sandbox.write("the.env", "TOKEN=s3cret-of-another-file\n")
    ran = sandbox.run("plan", "--state", "the.env")
    assert (ran.code, "the.env is not JSON" in ran.err, "s3cret" in ran.out + ran.err) == (1, True, False)
    sandbox.write("broken.json", '{"version": 2, "endpoints": oops}\n')
    assert '"endpoints": oops' in sandbox.run("plan", "--state", "broken.json").err
