"""`convert`: what it reads, writes, refuses, and never shows."""

import json
import subprocess

import pytest

from reconciler.cli.commands.convert import FORMATS as OFFERED
from reconciler.convert.formats import FORMATS
from tests.e2e.sandbox import Sandbox

SECRET = "a-secret-value"
COMPOSE = f"""\
services:
  chat:
    image: ghcr.io/acme/chat:1.4.2
    environment: {{TOKEN: {SECRET}, MODEL: llama}}
    gpus: [{{count: 2}}]
"""
DSTACK = """\
type: service
name: embed
image: ghcr.io/acme/embed:2.0.1
port: 9000
resources: {gpu: RTX5090}
"""
FLASH = """\
from runpod_flash import Endpoint, GpuType

end = Endpoint(name="e", image="a/b:1", gpu=GpuType.NVIDIA_H200)
"""


def give_model(sandbox: Sandbox, model: str) -> None:
    """Say which GPU the spec `small` has."""
    text = (sandbox.root / "specs.yaml").read_text(encoding="utf-8")
    sandbox.write("specs.yaml", text.replace('"gpu": "1",', f'"gpu": "1", "gpuType": "{model}",'))


def test_the_command_offers_the_formats_that_exist() -> None:
    assert sorted(OFFERED) == sorted(FORMATS)


def test_nothing_is_written_without_out(sandbox: Sandbox) -> None:
    """The YAML is printed, with new specs before it; the notes are on stderr."""
    sandbox.write("compose.yaml", COMPOSE)
    before = sandbox.files()
    ran = sandbox.run("convert", "compose.yaml")
    assert (ran.code, sandbox.files()) == (0, before)
    assert "compose.yaml is read as docker-compose.\n" in ran.err
    assert ran.out.index("name: any-2gpu") < ran.out.index("\n---\n") < ran.out.index("- endpoint: chat")
    assert sandbox.sent() == []


def test_several_files_and_documents(sandbox: Sandbox) -> None:
    """The second document of a file has the lines of the file; a name is taken once."""
    sandbox.write("compose.yaml", COMPOSE)
    second = DSTACK.replace("embed", "chat") + "priority: 5\n"
    sandbox.write("services.yaml", f"---\n{DSTACK}---\n{second}---\n# nothing\n")
    sandbox.write("flash.py", FLASH)
    ran = sandbox.run("convert", "compose.yaml", "services.yaml", "flash.py", "--json")
    document = ran.document
    assert [one["endpoint"] for one in document["endpoints"]] == ["chat", "embed", "e"]
    assert document["documents"] == [
        {"file": "compose.yaml", "line": 1, "format": "docker-compose"},
        {"file": "services.yaml", "line": 1, "format": "dstack"},
        {"file": "services.yaml", "line": 7, "format": "dstack"},
        {"file": "flash.py", "line": 1, "format": "runpod-flash"},
    ]
    at = {(note["field"], note["outcome"]): (note["line"], note["severity"]) for note in document["notes"]}
    assert at["name", "left out"] == (9, "error")
    assert at["priority", "left out"] == (13, "warning")


def test_stdin(sandbox: Sandbox) -> None:
    process = sandbox.start("convert", "-", "--json", stdin=subprocess.PIPE)
    out, err = process.communicate(COMPOSE, timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["documents"][0]["file"] == "<stdin>"


def test_no_value_is_shown(sandbox: Sandbox) -> None:
    """Values of env go to --env-out only, whose file git must ignore."""
    sandbox.write("compose.yaml", COMPOSE)
    subprocess.run(["git", "init", "-q", "."], check=True)
    arguments = ("convert", "compose.yaml", "--out", "endpoints.yaml", "--env-out", ".env")
    refused = sandbox.run(*arguments)
    assert (refused.code, "git does not ignore it" in refused.err) == (1, True)
    sandbox.write(".gitignore", ".env\n")
    ran = sandbox.run(*arguments)
    printed = sandbox.run("convert", "compose.yaml")
    document = sandbox.run("convert", "compose.yaml", "--json")
    assert ran.code == 0, ran.err
    assert SECRET not in "".join((ran.out, ran.err, printed.out, printed.err, document.out))
    holders = [name for name, content in sandbox.files().items() if SECRET.encode() in content]
    assert sorted(map(str, holders)) == [".env", "compose.yaml"]
    assert (sandbox.root / ".env").stat().st_mode & 0o777 == 0o600


def test_chosen_values_stay_in_the_yaml(sandbox: Sandbox) -> None:
    sandbox.write("compose.yaml", COMPOSE)
    ran = sandbox.run("convert", "compose.yaml", "--json", "--literal-env", "MOD*")
    assert ran.document["endpoints"][0]["env"] == {"MODEL": "llama", "TOKEN": "${env:TOKEN}"}


def test_a_credential_in_a_command_is_a_variable(sandbox: Sandbox) -> None:
    """So is a command that holds one and variables, whose value nobody knows; a default goes to --env-out."""
    command = f"serve --password {SECRET}"
    services = {
        "a": {"image": "x:1", "command": command},
        "b": {"image": "x:1", "command": command + " --host ${HOST_NAME}"},
        "c": {"image": "x:1", "command": "serve --key ${KEY_NAME:-" + SECRET + "}"},
    }
    sandbox.write("compose.yaml", {"services": services})
    ran = sandbox.run("convert", "compose.yaml", "--json")
    commands = [one["command"] for one in ran.document["endpoints"]]
    assert commands == ["${env:A_COMMAND}", "${env:B_COMMAND}", "serve --key ${env:KEY_NAME}"]
    has_value = {one["name"]: one["has_value"] for one in ran.document["variables"]}
    assert (has_value["A_COMMAND"], has_value["B_COMMAND"], has_value["KEY_NAME"]) == (True, False, True)
    assert SECRET not in ran.out + ran.err


def test_a_spec_of_the_folder_that_fits_is_used(sandbox: Sandbox) -> None:
    """One that has the model and the number of GPUs; --spec chooses one for the others."""
    give_model(sandbox, "NVIDIA GeForce RTX 5090")
    sandbox.write("service.dstack.yml", DSTACK)
    sandbox.write("compose.yaml", COMPOSE)
    ran = sandbox.run("convert", "service.dstack.yml", "compose.yaml", "--json", "--spec", "large")
    assert [one["specName"] for one in ran.document["endpoints"]] == ["small", "large"]
    assert (ran.document["specs"], ran.document["placeholders"]) == ([], [])
    reasons = " ".join(note["reason"] for note in ran.document["notes"])
    assert "the spec `small` has it" in reasons
    assert "the spec `large` was chosen with --spec" in reasons
    unknown = sandbox.run("convert", "compose.yaml", "--spec", "larg")
    assert (unknown.code, "did you mean `large`" in unknown.err.lower()) == (1, True)


def test_a_second_conversion_uses_the_new_spec(sandbox: Sandbox) -> None:
    """A product that is yet to be chosen is chosen once for all endpoints with that GPU."""
    sandbox.write("service.dstack.yml", DSTACK)
    assert sandbox.run("convert", "service.dstack.yml", "--out", "endpoints.yaml").code == 0
    sandbox.write("other.dstack.yml", DSTACK.replace("embed", "other"))
    ran = sandbox.run("convert", "other.dstack.yml", "--out", "endpoints/other.yaml", "--json")
    assert (ran.code, ran.document["specs"]) == (0, [])
    assert ran.document["endpoints"][0]["specName"] == "rtx5090-1gpu"


def test_targets_choose_endpoints(sandbox: Sandbox) -> None:
    sandbox.write("services.yaml", f"{DSTACK}---\n{DSTACK.replace('embed', 'other')}")
    ran = sandbox.run("convert", "services.yaml", "--json", "--target", "oth*")
    assert [one["endpoint"] for one in ran.document["endpoints"]] == ["other"]
    assert sandbox.run("convert", "services.yaml", "--target", "none").code == 1


def test_a_service_without_a_gpu_needs_a_target(sandbox: Sandbox) -> None:
    """One note says so, in place of those about its fields."""
    cache = "  cache: {image: 'redis:7', restart: always}\n"
    dotted = "  cache.gpu: {image: 'x:1', gpus: [{count: 1}], restart: always}\n"
    sandbox.write("compose.yaml", COMPOSE + cache + dotted)
    ran = sandbox.run("convert", "compose.yaml", "--json")
    assert [one["endpoint"] for one in ran.document["endpoints"]] == ["chat", "cache.gpu"]
    notes = [note for note in ran.document["notes"] if note["field"].startswith("services.cache")]
    assert [(note["field"], note["severity"]) for note in notes if note["outcome"] == "left out"] == [
        ("services.cache", "error"),
        ("services.cache.gpu.restart", "warning"),
    ]
    asked = sandbox.run("convert", "compose.yaml", "--json", "--target", "cache")
    assert [one["endpoint"] for one in asked.document["endpoints"]] == ["cache"]


def test_workers_on_cpus_need_a_target(sandbox: Sandbox) -> None:
    imports = "from runpod_flash import Endpoint, CpuLiveServerless as C\n"
    code = imports + "Endpoint('a', image='x:1', cpu='cpu3g-2-8')\n"
    sandbox.write("flash.py", code + "C(name='b', imageName='x:1', instanceIds=[])\n")
    ran = sandbox.run("convert", "flash.py")
    assert ran.code == 1
    assert ran.err.count("it runs on CPUs, and Novita has GPU workers") == 2
    assert sandbox.run("convert", "flash.py", "--target", "[ab]").code == 0


def test_a_file_that_declares_nothing_is_named(sandbox: Sandbox) -> None:
    sandbox.write("flash.py", "from runpod_flash import remote\n")
    ran = sandbox.run("convert", "flash.py")
    assert (ran.code, "flash.py:1:1: it is read as runpod-flash, and declares no endpoint" in ran.err) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("name", "text", "code", "place"),
    [
        ("a.yaml", "services:\n  a: {image: x\n", "invalid-yaml", "a.yaml:"),
        ("a.yaml", "services:\n  a: {TOKEN: a-secret-value}\n  a: {}\n", "duplicate-key", "a.yaml:3:3"),
        ("a.yaml", "---\na: &a [*a]\n", "alias-loop", "a.yaml:2"),
        ("a.yaml", f"---\n{DSTACK}---\nfoo: 1\n", "unknown-format", "a.yaml:8:1"),
        ("a.json", '{"endpoint": ', "invalid-json", "a.json:1:"),
        ("a.py", "from runpod_flash import Endpoint\nx = (", "invalid-python", "a.py:2:"),
        ("a.yaml", "", "nothing-to-convert", ""),
        ("a.yaml", "services: {a: {image: x}}\nservices2: \x07", "not-text", "a.yaml:2:"),
        ("a.yaml", 'type: service\nname: "a\\nb"\n', "nothing-to-convert", ""),
    ],
)
def test_what_cannot_be_read(sandbox: Sandbox, name: str, text: str, code: str, place: str) -> None:
    """An error has a place, no line of the file, and a hint; nothing is written."""
    sandbox.write(name, text)
    before = sandbox.files()
    ran = sandbox.run("convert", name, "--out", "endpoints.yaml")
    assert (ran.code, sandbox.files()) == (1, before)
    assert place in ran.err
    assert SECRET not in ran.err
    assert code in sandbox.run("convert", name, "--json").codes


def test_what_cannot_be_written(sandbox: Sandbox) -> None:
    """A file that exists, one of another suffix, and endpoints that the folder has already."""
    sandbox.write("compose.yaml", COMPOSE)
    sandbox.declare({"endpoint": "chat", "specName": "small", "image": "x:1"})
    for out in ("endpoints.yaml", "made.txt", "specs.yaml"):
        ran = sandbox.run("convert", "compose.yaml", "--out", out)
        assert (ran.code, "nothing was written" in ran.err) == (1, True), out
    twice = sandbox.run("convert", "compose.yaml", "--out", "endpoints/more.yaml", "--json")
    assert (twice.code, twice.codes) == (1, ["duplicate-endpoint", "not-converted"])
    assert not (sandbox.root / "endpoints").exists()
    assert sandbox.run("convert", "compose.yaml", "--specs-out", "s.yaml").code == 64
    assert sandbox.run("convert").code == 64


def test_names_and_texts_of_others_are_escaped(sandbox: Sandbox) -> None:
    sandbox.write(
        "compose.yaml", 'services:\n  "a\\e[2J": {image: "x:1"}\n  b: {"k\\e]0;x\\a": 1, image: "x:1"}\n'
    )
    ran = sandbox.run("convert", "compose.yaml")
    assert "\x1b" not in ran.out + ran.err
    assert r"services.b.k\x1b]0;x\x07" in ran.err


def test_the_document_of_preview_is_read(sandbox: Sandbox) -> None:
    """A create body is the inverse of what preview prints; the mask of a secret is no value."""
    env = {"TOKEN": "${env:TOKEN}"}
    sandbox.monkeypatch.setenv("TOKEN", SECRET)
    item = {"endpoint": "chat", "specName": "large", "image": "x:1", "minReplicas": 0, "maxReplicas": 3}
    sandbox.declare({**item, "port": 8001, "env": env})
    bodies = sandbox.run("preview", "--create", "--json")
    sandbox.write("bodies.json", bodies.out)
    (sandbox.root / "endpoints.yaml").unlink()
    ran = sandbox.run("convert", "bodies.json", "--json")
    assert ran.document["endpoints"] == [{**item, "port": 8001, "env": env}]
    assert ran.document["variables"] == [{"name": "TOKEN", "endpoints": ["chat"], "has_value": False}]


def test_listings_of_novita(sandbox: Sandbox) -> None:
    """Endpoints, storages and credentials; what no YAML can declare is left out with the reason."""
    sandbox.sim.world.console_create(name="live", envs=[{"key": "TOKEN", "value": SECRET}])
    listing = {"endpoints": list(sandbox.sim.world.endpoints), "total": 1}
    sandbox.write("endpoints.json", listing)
    sandbox.write(
        "storages.json",
        {
            "data": [
                {"storageId": "s", "storageName": "w", "storageSize": 50, "clusterId": "us", "price": "200"}
            ]
        },
    )
    sandbox.write(
        "auths.json",
        {
            "data": [
                {"id": "r", "name": "hub", "username": "robot", "password": SECRET},
                {"id": "x", "name": "b"},
            ]
        },
    )
    sandbox.write("odd.json", {"name": "odd", "workerConfig": {}, "envs": []})
    files = ("endpoints.json", "storages.json", "auths.json", "odd.json")
    ran = sandbox.run("convert", *files, "--json")
    document = ran.document
    assert [one["endpoint"] for one in document["endpoints"]] == ["live"]
    assert document["endpoints"][0]["env"] == {"TOKEN": "${env:TOKEN}"}
    assert document["storages"] == [{"name": "w", "region": "us", "sizeGb": 50}]
    assert document["registries"] == [{"name": "hub", "username": "robot", "password": "${env:HUB_PASSWORD}"}]
    assert SECRET not in ran.out + ran.err
    reasons = {(note["file"], note["field"]): note["reason"] for note in document["notes"]}
    assert reasons["odd.json", "(document)"] == "Novita does not say which image it runs"
    assert "data.1" in {field for _, field in reasons}


def test_a_format_that_the_document_has_not(sandbox: Sandbox) -> None:
    sandbox.write("compose.yaml", COMPOSE)
    ran = sandbox.run("convert", "compose.yaml", "--from", "dstack")
    assert ran.code == 1
    assert "this document is not one of dstack\n  compose.yaml:1:1\n" in ran.err
    assert "It is one of docker-compose: leave out --from" in ran.err
    assert sandbox.run("convert", "compose.yaml", "--from", "runpod-flash", "--json").codes == [
        "invalid-python"
    ]
    assert sandbox.run("convert", "compose.yaml", "--from", "docker-compose").code == 0


def test_the_next_steps_name_the_files(sandbox: Sandbox) -> None:
    """With -f if the new file is not found by itself, and the variables with --env-file."""
    sandbox.write("compose.yaml", COMPOSE)
    found = sandbox.run("convert", "compose.yaml", "--out", "endpoints.yaml").out
    assert "  reconciler validate\n" in found
    assert "  cp .env.example .env   #" in found
    assert found.endswith("  reconciler --env-file .env plan\n")
    sandbox.write("other.yaml", COMPOSE.replace("chat", "other"))
    other = sandbox.run("convert", "other.yaml", "--out", "made/other.yaml", "--env-out", "values.env").out
    files = "-f endpoints.yaml -f made/other.yaml"
    assert f"  reconciler {files} validate\n" in other
    assert other.endswith(f"  reconciler {files} --env-file values.env plan\n")
    assert sandbox.run(*files.split(), "validate").code == 0
    sandbox.monkeypatch.chdir(sandbox.root.parent)
    sandbox.write("third.yaml", COMPOSE.replace("chat", "third"))
    third = sandbox.run("-C", "infra", "convert", "third.yaml", "--out", "endpoints/third.yaml").out
    assert "  reconciler -C infra validate\n" in third


def test_what_a_source_hides_is_noted(sandbox: Sandbox) -> None:
    """Further devices, arguments that are unpacked, a credential without a password."""
    gpus = "gpus: [{count: 1, options: {a: b}}, {count: 2}]"
    sandbox.write("compose.yaml", f"services:\n  a:\n    image: x:1\n    {gpus}\n")
    sandbox.write("flash.py", "from runpod_flash import Endpoint\nEndpoint('f', 1, image='x:1', **more)\n")
    sandbox.write("w.json", [{"endpoint": "w", "image": "x:1", "registryCredential": {"username": "u"}}])
    sandbox.write("d.yaml", "type: service\nregistry_auth: {username: a, password: b}\nprobes: [1]\n")
    ran = sandbox.run("convert", "compose.yaml", "flash.py", "w.json", "d.yaml", "--json")
    fields = {
        (note["file"], note["field"]) for note in ran.document["notes"] if note["outcome"] == "left out"
    }
    assert fields == {
        ("compose.yaml", "services.a.gpus.0.options"),
        ("compose.yaml", "services.a.gpus.1"),
        ("flash.py", "f"),
        ("w.json", "0.registryCredential"),
        ("d.yaml", "registry_auth"),
        ("d.yaml", "probes"),
    }


def test_bodies_in_several_files(sandbox: Sandbox) -> None:
    """Bodies without an ID are told apart by their places; a live object counts once."""
    sandbox.declare({"endpoint": "a", "specName": "small", "image": "x:1"})
    body = sandbox.run("preview", "--create", "--json").document[0]["body"]
    sandbox.write("a.json", body)
    sandbox.write("b.json", {"endpoint": {**body["endpoint"], "name": "b", "appName": "b"}})
    sandbox.write("bad.json", {"endpoint": {**body["endpoint"], "name": "c", "image": {}}})
    sandbox.write("live.json", {"endpoint": {**body["endpoint"], "id": "i1", "name": "d", "appName": "d"}})
    (sandbox.root / "live.json").rename(sandbox.root / "one.json")
    sandbox.write("two.json", (sandbox.root / "one.json").read_text(encoding="utf-8"))
    ran = sandbox.run("convert", "a.json", "b.json", "bad.json", "one.json", "two.json", "--json")
    assert [one["endpoint"] for one in ran.document["endpoints"]] == ["a", "b", "d"]
    errors = {note["file"]: note["reason"] for note in ran.document["notes"] if note["severity"] == "error"}
    assert errors == {
        "bad.json": "Novita does not say which image it runs",
        "two.json": "one.json:2:15 has the object with its ID",
    }
