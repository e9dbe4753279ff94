"""`drift accept`: what is live goes back into the YAML, and nothing else moves."""

import pytest

from reconciler.yamlfile import block, editor, parser, tree_document
from tests.e2e.sandbox import Sandbox

BASE = """\
# who is on call reads this first
defaults:
  specName: small          # all of them are small
  healthPath: /health

endpoints:
  # the one that pays the bills
  - endpoint: chat
    image: "ghcr.io/acme/chat:1.4.2"   # pinned, see ADR 7
    minReplicas: 1
    maxReplicas: 3
    env:
      MODE: fast           # or slow
      HF_TOKEN: "${env:HF_TOKEN}"

  # the cheap one
  - endpoint: embed
    image: ghcr.io/acme/embed:2.0.1
    replicas: 1
"""


@pytest.fixture
def applied(sandbox: Sandbox) -> Sandbox:
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_today")
    sandbox.write("endpoints.yaml", BASE)
    sandbox.apply()
    return sandbox


def text(sandbox: Sandbox) -> str:
    return (sandbox.root / "endpoints.yaml").read_text()


def test_a_changed_value_is_written_where_it_stands(applied: Sandbox) -> None:
    """One line changes, and its comment stays; then nothing has drifted and nothing is to be done."""
    applied.sim.world.console_update(applied.id("chat"), image={"image": "ghcr.io/acme/chat:1.5.0"})
    ran = applied.run("drift", "accept", "chat")
    assert (ran.code, ran.err) == (0, "")
    assert text(applied) == BASE.replace("chat:1.4.2", "chat:1.5.0")
    assert '-    image: "ghcr.io/acme/chat:1.4.2"   # pinned, see ADR 7' in ran.out
    assert '+    image: "ghcr.io/acme/chat:1.5.0"   # pinned, see ADR 7' in ran.out
    assert applied.run("drift").code == 0
    assert applied.plan().code == 0
    assert applied.sent("update") == []


def test_a_file_is_parsed_three_times(applied: Sandbox) -> None:
    """As it is, for the positions of the edits, and as it will be."""
    parsed = []

    def compose(text: str, *hooks: object, **options: object) -> object:
        if "endpoints:" in text:
            parsed.append(text)
        return parser.compose(text, *hooks, **options)  # type: ignore[arg-type]

    for name in ("chat", "embed"):
        applied.sim.world.console_update(applied.id(name), image={"image": "ghcr.io/acme/both:3"})
    applied.sim.world.console_update(applied.id("chat"), workerConfig={"maxNum": 5})
    read_block = block.parse
    applied.monkeypatch.setattr(tree_document, "compose", compose)
    applied.monkeypatch.setattr(
        block, "parse", lambda text: parsed.extend([text] * ("endpoints:" in text)) or read_block(text)
    )
    applied.monkeypatch.setattr(
        editor, "parse_tree", lambda text, on_item=None: compose(text, on_item) if text else None
    )
    assert applied.run("drift", "accept", "chat", "embed").code == 0
    assert text(applied).count("both:3") == 2
    assert len(parsed) == 3
    assert applied.run("drift").code == 0


def test_what_is_not_spelled_out_yet_is_added_to_the_endpoint(applied: Sandbox) -> None:
    """Not to the defaults, which others share; below its own keys, and above the next one's comment."""
    applied.sim.world.console_update(applied.id("chat"), healthy={"path": "/ready"})
    assert applied.run("drift", "accept", "chat").code == 0
    assert text(applied) == BASE.replace(
        '      HF_TOKEN: "${env:HF_TOKEN}"\n', '      HF_TOKEN: "${env:HF_TOKEN}"\n    healthPath: /ready\n'
    )


def test_replicas_that_became_a_range(applied: Sandbox) -> None:
    """The one field makes room for two."""
    applied.sim.world.console_update(applied.id("embed"), workerConfig={"minNum": 0, "maxNum": 4})
    assert applied.run("drift", "accept", "embed").code == 0
    assert text(applied) == BASE.replace("    replicas: 1\n", "    minReplicas: 0\n    maxReplicas: 4\n")


def test_what_is_gone_is_declared_no_more(applied: Sandbox) -> None:
    """With its own lines, and without the comments of its neighbour."""
    applied.sim.world.console_delete(applied.id("chat"))
    ran = applied.run("drift", "accept", "chat", "--json")
    assert ran.document["accepted"] == [{"name": "chat", "fields": []}]
    assert "  # the cheap one\n  - endpoint: embed\n" in text(applied)
    assert "endpoint: chat" not in text(applied)
    assert applied.run("drift").code == 0
    assert applied.plan().actions == {"chat": "forget"}


def test_a_secret_stays_a_reference_and_is_told(applied: Sandbox) -> None:
    """Its live value is written nowhere; a key that somebody added becomes a reference."""
    envs = [
        {"key": "MODE", "value": "slow"},
        {"key": "HF_TOKEN", "value": "hf_theirs"},
        {"key": "EXTRA", "value": "x_theirs"},
    ]
    applied.sim.world.console_update(applied.id("chat"), envs=envs)
    ran = applied.run("drift", "accept", "chat")
    assert ran.code == 1
    assert "references are not overwritten" in ran.err
    assert text(applied) == BASE.replace("MODE: fast ", "MODE: slow ").replace(
        '      HF_TOKEN: "${env:HF_TOKEN}"\n',
        '      HF_TOKEN: "${env:HF_TOKEN}"\n      EXTRA: "${env:EXTRA}"\n',
    )
    assert "theirs" not in ran.out + ran.err + text(applied)
    assert "EXTRA of `chat` may be secret, and is written as ${env:EXTRA}" in ran.err
    applied.monkeypatch.setenv("HF_TOKEN", "hf_theirs")
    applied.monkeypatch.setenv("EXTRA", "x_theirs")
    assert applied.run("drift").code == 0


def test_an_overlay_is_what_is_edited(sandbox: Sandbox) -> None:
    """The last file that names the endpoint: the base is shared with other environments."""
    sandbox.write("base.yaml", BASE.replace('"${env:HF_TOKEN}"', "none"))
    sandbox.write("prod.yaml", "endpoints:\n- endpoint: chat\n  maxReplicas: 9\n")
    files = ["-f", "base.yaml", "-f", "prod.yaml"]
    sandbox.apply(*files)
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 2, "maxNum": 12})
    assert sandbox.run("drift", "accept", "chat", *files).code == 0
    assert (sandbox.root / "prod.yaml").read_text() == (
        "endpoints:\n- endpoint: chat\n  maxReplicas: 12\n  minReplicas: 2\n"
    )
    assert sandbox.run("drift", *files).code == 0
    sandbox.sim.world.console_delete(sandbox.id("chat"))
    assert sandbox.run("drift", "accept", "chat", *files).code == 0
    assert "chat" not in (sandbox.root / "base.yaml").read_text() + (sandbox.root / "prod.yaml").read_text()


def test_a_file_of_json_stays_json(sandbox: Sandbox) -> None:
    """A Waverless request list is edited like any other."""
    sandbox.declare({"endpoint": "a", "specName": "small", "image": "x:1"})
    (sandbox.root / "endpoints.yaml").rename(sandbox.root / "endpoints.json")
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("a"), image={"image": "x:2"})
    assert sandbox.run("drift", "accept", "a").code == 0
    assert '"image": "x:2"' in (sandbox.root / "endpoints.json").read_text()


def test_an_endpoint_that_was_renamed_in_the_console(applied: Sandbox) -> None:
    """The YAML takes the name, and keeps the ID by `renamedFrom`."""
    applied.sim.world.console_update(applied.id("embed"), name="vectors")
    assert applied.run("drift", "accept", "embed").code == 0
    assert "  - endpoint: vectors\n" in text(applied)
    assert "    renamedFrom: embed\n" in text(applied)
    assert applied.plan().code == 0


def test_what_an_alias_shares_is_not_touched(sandbox: Sandbox) -> None:
    """An edit that would change a second endpoint is refused, and nothing is written."""
    shared = (
        "endpoints:\n"
        "- endpoint: a\n  specName: small\n  image: x:1\n  env: &env {A: '1'}\n"
        "- endpoint: b\n  specName: small\n  image: x:1\n  env: *env\n"
    )
    sandbox.write("endpoints.yaml", shared)
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("a"), envs=[{"key": "A", "value": "2"}])
    ran = sandbox.run("drift", "accept", "a")
    assert (ran.code, text(sandbox)) == (1, shared)
    assert "edit the file by hand" in ran.err


@pytest.mark.parametrize(
    ("name", "said"), [("chat", "`chat` has not drifted"), ("nobody", "`nobody` has not drifted")]
)
def test_what_has_not_drifted_is_not_accepted(applied: Sandbox, name: str, said: str) -> None:
    """A slip of the finger, and nothing is written."""
    ran = applied.run("drift", "accept", name)
    assert (ran.code, said in ran.err, text(applied)) == (1, True, BASE)
    assert applied.run("drift", "accept").code == 64


def test_a_hardware_that_no_spec_gives_is_refused(applied: Sandbox) -> None:
    """With what such a spec would have to say; the other fields are taken."""
    applied.sim.world.console_update(applied.id("embed"), workerConfig={"gpuNum": 4}, healthy={"path": "/x"})
    ran = applied.run("drift", "accept", "embed")
    assert ran.code == 1
    assert "no spec gives what is live: productId SL-serverless-3, region us-dallas-nas-2, gpu 4" in ran.err
    assert "    healthPath: /x\n" in text(applied)


def test_a_file_that_cannot_be_written(applied: Sandbox) -> None:
    """Told with its name; the old text is whole."""
    applied.sim.world.console_update(applied.id("embed"), healthy={"path": "/x"})
    (applied.root / "endpoints.yaml.tmp").mkdir()
    ran = applied.run("drift", "accept", "embed")
    assert (ran.code, "cannot write endpoints.yaml" in ran.err, text(applied)) == (1, True, BASE)


def test_windows_line_ends_and_a_byte_order_mark_stay(sandbox: Sandbox) -> None:
    """Whoever wrote the file wants it back as it was."""
    old = "\ufeff" + BASE.replace('"${env:HF_TOKEN}"', "none").replace("\n", "\r\n")
    (sandbox.root / "endpoints.yaml").write_bytes(old.encode())
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("embed"), image={"image": "x:2"})
    assert sandbox.run("drift", "accept", "embed").code == 0
    assert (sandbox.root / "endpoints.yaml").read_bytes().decode() == old.replace(
        "ghcr.io/acme/embed:2.0.1", "x:2"
    )
