"""Loading a directory: the desired endpoints, with all problems at once."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from reconciler.config.files.discovery import search_folder
from reconciler.config.loader import load, sort_problems
from reconciler.model.problem import Place, Problem

from .support import SPECS, codes, loaded, problem_lines, write

REQUEST = """\
{
  "endpoint": "base-test",
  "specName": "one",
  "image": "ubuntu:22.04",
  "replicas": 3,
  "taskTimeout": 1200,
  "maxPendingTasks": 10,
  "env": {
    "MODEL_NAME": "llama-3-70b",
    "MODEL_VERSION": "v1.0"
  },
  "minReplicas": 1,
  "maxReplicas": 10,
  "scaleUpThreshold": 2,
  "scaleDownIdleTime": 300,
  "scaleUpCooldown": 30,
  "scaleDownCooldown": 60,
  "priority": 50,
  "enableDynamicPrio": true,
  "highLoadThreshold": 10,
  "priorityBoost": 20
}"""


def item(**fields: str) -> str:
    """Return an endpoints.yaml with one endpoint; the fields are YAML text."""
    everything = {"endpoint": "a", "specName": "one", "image": "x:1", **fields}
    return "endpoints:\n- " + "\n  ".join(f"{name}: {text}" for name, text in everything.items()) + "\n"


@pytest.mark.parametrize("name", ["endpoints.yaml", "endpoints.yml", "endpoints.json", "endpoints/a.yaml"])
def test_the_documented_request_is_a_valid_item(tmp_path: Path, name: str) -> None:
    """A complete Waverless deploy request is accepted, as YAML and as JSON indented by tabs."""
    text = '{"endpoints": [\n' + textwrap.indent(REQUEST, "\t") + "\n]}\n"
    result = loaded(tmp_path, {name: text})
    assert result.errors == ()
    (desired,) = result.desired
    assert desired.name == "base-test"
    assert desired.fields["envs"] == {"MODEL_NAME": "llama-3-70b", "MODEL_VERSION": "v1.0"}
    assert desired.fields["workerConfig"]["freeTimeout"] == 1200
    assert result.endpoint_files == (name,)


def test_a_file_with_a_single_request_is_reported(tmp_path: Path) -> None:
    """A file that is one deploy request does not count as an empty file."""
    result = loaded(
        tmp_path, {"endpoints.json": REQUEST, "endpoints.yaml": item()[13:].replace("\n  ", "\n")}
    )
    assert problem_lines(result.problems) == [
        'endpoints.json:2:3 lone-endpoint | wrap it: {"endpoints": [...]}',
        "endpoints.yaml:1:1 lone-endpoint | write `endpoints:` above it, "
        "and indent it below as an item that starts with `- `",
    ]


BAD = [
    # field, its YAML, the column of the place on line 5, code, hint
    ("specname", "x", 3, "unknown-key", "did you mean `specName`?"),
    ("spec_name", "x", 3, "unknown-key", "did you mean `specName`?"),
    ("minNum", "1", 3, "unknown-key", "did you mean `minReplicas`?"),
    ("volumes", "[]", 3, "unknown-key", "did you mean `storage`?"),
    ("zzz", "1", 3, "unknown-key", "known keys: endpoint, specName, image, command,"),
    ("command", "5", 12, "not-text", 'write "5"'),
    ("command", "yes", 12, "not-text", 'write "yes"'),
    ("command", "[a, b]", 12, "wrong-type", "write for example `command: python"),
    ("imageAuthId", '""', 16, "bad-format", "write a value, or remove the key"),
    ("replicas", '"3"', 13, "wrong-type", "write `replicas: 3`, without quotes or unit"),
    ("replicas", "three", 13, "wrong-type", "write for example `replicas: 3`"),
    ("replicas", "1.5", 13, "wrong-type", "write for example `replicas: 3`"),
    ("replicas", "yes", 13, "wrong-type", "write for example `replicas: 3`"),
    ("replicas", "-1", 13, "out-of-range", "write a number that is 0 or more"),
    ("replicas", "99999999999", 13, "out-of-range", "write a number that is at most 2147483647"),
    ("replicas", "9" * 350, 13, "ambiguous-value", "write it in double quotes"),
    ("maxReplicas", "0", 16, "out-of-range", "write a number that is 1 or more"),
    ("taskTimeout", "20m", 16, "wrong-type", "write `taskTimeout: 1200`, in seconds"),
    ("taskTimeout", "1h", 16, "wrong-type", "write `taskTimeout: 3600`, in seconds"),
    ("taskTimeout", "1:30", 16, "ambiguous-value", 'write "1:30" for text, or 90 for the number'),
    ("taskTimeout", "0300", 16, "ambiguous-value", 'write "0300" for text, or 192 for the number'),
    ("taskTimeout", "0", 16, "out-of-range", "write a number that is 1 or more"),
    ("port", "0", 9, "out-of-range", "write a number that is from 1 to 65535"),
    ("port", "65536", 9, "out-of-range", "write a number that is from 1 to 65535"),
    ("port", "2223", 9, "out-of-range", "write another value, such as `port: 8000`"),
    ("port", "${env:}", 9, "bad-reference", "write `${env:NAME}`"),
    ("healthPath", "health", 15, "bad-format", "write for example `healthPath: /health`"),
    ("appName", "Base_Test", 12, "bad-format", "write for example `appName: base-test`"),
    ("appName", "a" * 47, 12, "bad-format", "shorten it"),
    ("priority", "101", 13, "out-of-range", "write a number that is from 0 to 100"),
    ("enableDynamicPrio", '"on"', 22, "wrong-type", "write `enableDynamicPrio: true`, without quotes"),
    ("enableDynamicPrio", "maybe", 22, "wrong-type", "write true or false"),
    ("policy", "queue", 11, "wrong-type", "write `key: value` lines below it, indented"),
    ("policy", "{type: queu, value: 1}", 18, "not-one-of", "did you mean `queue`?"),
    ("policy", "{type: 5, value: 1}", 18, "not-text", 'write "5"'),
    ("policy", "{type: queue}", 11, "missing-key", "write `value: ...`"),
    ("policy", "{type: queue, value: 0}", 32, "out-of-range", "write a number that is 1 or more"),
    ("env", "{TAG: 1.10}", 14, "not-text", 'write "1.10"'),
    ("env", "{DEBUG: no}", 16, "not-text", 'write "no"'),
    ("env", "{AT: 1:30}", 13, "ambiguous-value", 'write "1:30" for text, or 90 for the number'),
    ("env", "{KEY: {a: b}}", 14, "wrong-type", "write text"),
    ("env", "{'A B': x}", 9, "bad-format", "use letters, digits"),
    ("env", "[A=b]", 8, "wrong-type", "write `key: value` lines below it, indented"),
    ("storage", "{type: local}", 12, "wrong-type", "write each item on its own line"),
    ("storage", "[{type: local, mountPath: /x}]", 13, "missing-key", "write its size in GB"),
    ("storage", "[{type: network, mountPath: /x}]", 13, "missing-key", "write `name` for a storage of"),
    ("storage", "[{type: network, name: a, id: b, mountPath: /x}]", 13, "conflicting-keys", "keep `name`"),
    ("storage", "[{type: local, sizeGb: 9, name: a, mountPath: /x}]", 44, "conflicting-keys", "write `type:"),
    ("storage", "[{type: local, sizeGb: 3Gi, mountPath: /x}]", 35, "wrong-type", "write `sizeGb: 3`"),
    ("storage", "[{type: local, sizeGb: 1, mountPath: x}]", 49, "bad-format", "write for example `mountPath"),
    ("storage", "[{type: nfs, mountPath: /x}]", 20, "not-one-of", "write `type: local`"),
    ("lifecycle", "{preventDestroy: 1}", 31, "wrong-type", "write true or false"),
    ("lifecycle", "{prevent_destroy: true}", 15, "unknown-key", "did you mean `preventDestroy`?"),
    ("lifecycle", "{ignoreChanges: [5]}", 31, "not-text", 'write "5"'),
    ("renamedFrom", "12", 16, "not-text", 'write "12"'),
    ("replicas", "!!python/name:x 1", 13, "unknown-tag", "remove the tag; quote the value"),
    ("image", "y", 3, "duplicate-key", "keep one of the two; the first is at endpoints.yaml:4:3"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "text", "column", "code", "hint"), BAD, ids=[f"{c[0]}={c[1][:24]}" for c in BAD]
)
def test_one_mistake_one_problem(
    tmp_path: Path, field: str, text: str, column: int, code: str, hint: str
) -> None:
    """Each mistake is one problem with its exact place and a hint."""
    endpoints = item() + f"  {field}: {text}\n"
    (problem,) = loaded(tmp_path, {"endpoints.yaml": endpoints}).problems
    assert (str(problem.place), problem.code) == (f"endpoints.yaml:5:{column}", code)
    assert problem.hint.startswith(hint)
    assert problem.summary
    assert not problem.summary.endswith(".")
    for jargon in (
        "is not of type",
        "is not valid under",
        "Additional properties",
        "does not match",
        "anyOf",
    ):
        assert jargon not in problem.summary + problem.detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("endpoints: [{endpoint: a, specName: one}]", "1:24 missing-key | write `image: ubuntu:22.04`"),
        (
            "endpoints: [{endpoint: a, image: x:1}]",
            "1:24 missing-key | write `specName: NAME`, with a name from specs.yaml",
        ),
        ("endpoints: [{image: x:1}]", "1:13 missing-key | write `endpoint: NAME`"),
        ("endpoints: [{name: a}]", "1:13 missing-key | did you mean `endpoint` by `name`?"),
        ("endpoints: [{endpont: a}]", "1:13 missing-key | did you mean `endpoint` by `endpont`?"),
        ("endpoints:\n- endpoint:\n  image: x:1", "2:12 missing-key | write `endpoint: NAME`"),
        ("endpoints: [{endpoint: 1.10}]", '1:24 not-text | write "1.10"'),
        ("endpoints: [{endpoint: [a]}]", "1:24 wrong-type | write `endpoint: NAME`"),
        ("endpoints: [a]", "1:13 wrong-type | write `- endpoint: NAME`"),
        ("endpoints:", "1:11 wrong-type | write `endpoints: []` for no endpoints"),
        ("endpoints: {a: {}}", "1:12 wrong-type | start each endpoint with `- endpoint: NAME`"),
        (
            "endpoint: [{endpoint: a}]",
            "1:1 lone-endpoint | write `endpoints:` above it, "
            "and indent it below as an item that starts with `- `",
        ),
        ("endpoins: []", "1:1 unknown-key | did you mean `endpoints`?"),
        ("others: []\nendpoints: []", "1:1 unknown-key | known keys: endpoints, defaults, removed"),
        ("specs: []\nendpoints: []", "1:1 unknown-key | specs belong in specs.yaml"),
        ("novita: {}\nendpoints: []", "1:1 unknown-key | settings belong in config.yaml"),
        ("- endpoint: a", "1:1 wrong-type | write `endpoints:` above the list"),
        ("hello", "1:1 wrong-type | write `endpoints:` and the endpoints below it"),
        ("", "1:1 empty-file | write `endpoints: []` for no endpoints, or delete the file"),
        (
            "# soon\n",
            "1:1 empty-file | write `endpoints: []` for no endpoints, or delete the file",
        ),
        ("a: [\n", "1:4 invalid-yaml | check the brackets and commas"),
        ("defaults: [a]\nendpoints: []", "1:11 wrong-type | write `key: value` lines below it, indented"),
        (
            "defaults: {appName: a}\nendpoints: []",
            "1:12 unknown-key | move `appName` into the item under `endpoints:`",
        ),
        (
            "defaults: {ports: 1}\nendpoints: [{endpoint: a, specName: one, image: x:1}]",
            "1:12 unknown-key | did you mean `port`?",
        ),
        (
            "endpoints: [{endpoint: '', specName: one, image: x:1}]",
            "1:24 bad-format | write a value, or remove the key",
        ),
        (
            'endpoints: [{endpoint: "a\\n", appName: a, specName: one, image: x:1}]',
            "1:24 bad-format | write for example `endpoint: base-test`",
        ),
        (
            f"endpoints: [{{endpoint: {'a' * 221}, appName: a, specName: one, image: x:1}}]",
            "1:24 bad-format | shorten it",
        ),
        (
            "endpoints:\n- {endpoint: a, specName: one, image: x:1}\n"
            "- {endpoint: a, specName: one, image: y:1}",
            "3:14 duplicate-endpoint | rename or remove one of the two; the first is at endpoints.yaml:2:14",
        ),
        (
            "endpoints: [{endpoint: a, specName: one, image: 'x:1 y'}]",
            "1:49 bad-format | write for example `image: ubuntu:22.04`",
        ),
    ],
)
def test_errors_of_a_whole_file(tmp_path: Path, text: str, expected: str) -> None:
    """Errors of a whole file have a place and a hint."""
    assert problem_lines(loaded(tmp_path, {"endpoints.yaml": text}).problems) == [
        f"endpoints.yaml:{expected}"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "endpoints: []",
        "defaults: {port: 80}",
        "defaults:\nendpoints: []",
        '{"$schema": "endpoints.schema.json", "endpoints": []}',
        "endpoints:\n- endpoint: Überall 1\n  appName: a\n  specName: one\n  image: x:1\n",
        item(command='""', env="{}", storage="[]", lifecycle="{}"),
        item(env="{DATE: 2024-01-01, EMPTY: ''}", taskTimeout="1200.0", maxConcurrent="1_000"),
        "endpoints:\n- &a {endpoint: a, specName: one, image: x:1}\n- {<<: *a, endpoint: b}\n",
    ],
)
def test_valid_files(tmp_path: Path, text: str) -> None:
    """No endpoints, only defaults, empty fields and anchors are all valid."""
    assert loaded(tmp_path, {"endpoints.yaml": text}).problems == ()


def test_whole_numbers(tmp_path: Path) -> None:
    """1200.0 and 1_000 are read as integers."""
    result = loaded(tmp_path, {"endpoints.yaml": item(taskTimeout="1200.0", maxConcurrent="1_000")})
    worker = result.desired[0].fields["workerConfig"]
    assert [repr(worker[name]) for name in ("freeTimeout", "maxConcurrent")] == ["1200", "1000"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Settings, specs and all endpoints are validated in one run, and valid endpoints are kept."""
    files = {
        "config.yaml": "novita: {adpt: true}",
        "specs.yaml": SPECS + "  - {name: 5}\n",
        "endpoints.yaml": item(port="0")
        + "- {endpoint: b, specName: two, image: x:1}\n- {endpoint: c, specName: one, image: x:1}\n",
    }
    result = loaded(tmp_path, files)
    assert [line.split(" |")[0] for line in problem_lines(result.problems)] == [
        "config.yaml:1:10 unknown-key",
        "endpoints.yaml:5:9 out-of-range",
        "endpoints.yaml:6:27 unknown-spec",
        "specs.yaml:6:12 not-text",
    ]
    assert [desired.name for desired in result.desired] == ["c"]
    assert result.problems[1].address == "novita_endpoint.a"


def test_an_error_in_defaults_is_reported_once(tmp_path: Path) -> None:
    """It is not repeated for each endpoint, and the items are still validated."""
    items = "".join(f"- {{endpoint: e{n}, image: 5}}\n" for n in range(3))
    result = loaded(tmp_path, {"endpoints.yaml": "defaults: {specName: one, port: 0}\nendpoints:\n" + items})
    assert codes(result.problems) == ["out-of-range", "not-text", "not-text", "not-text"]
    assert result.desired == ()


def test_a_warning_about_defaults_is_reported_once(tmp_path: Path) -> None:
    """A deprecated field of the defaults gives one warning without an address."""
    items = "".join(f"- {{endpoint: e{n}, image: x:1}}\n" for n in range(3))
    text = "defaults: {specName: one, priority: 5, env: {A: '${env:NONE}'}}\nendpoints:\n" + items
    result = loaded(tmp_path, {"endpoints.yaml": text})
    assert sorted(codes(result.problems)) == ["never-sent", "unset-reference"]
    assert [problem.address for problem in result.problems] == [None, None]


def test_problems_are_sorted_by_place() -> None:
    """Problems without a place come first, then by file, line and column as numbers."""
    places = [
        None,
        *(
            Place(file=file, line=line, column=column)
            for file, line, column in [("a", 2, 1), ("a", 10, 3), ("b", 1, 1)]
        ),
    ]
    problems = [Problem(code="x", summary="x", place=place) for place in places]
    assert sort_problems(problems[::-1]) == tuple(problems)


def test_names_within_one_search_are_unique(tmp_path: Path) -> None:
    """The same name in two files of one search is an error with both places."""
    files = {"endpoints.yaml": item(), "endpoints/b.yaml": item()}
    assert problem_lines(loaded(tmp_path, files).problems) == [
        "endpoints/b.yaml:2:13 duplicate-endpoint | "
        "rename or remove one of the two; the first is at endpoints.yaml:2:13"
    ]


def test_search_order(tmp_path: Path) -> None:
    """endpoints.* first, then all files below endpoints/ by name; hidden files and documentation are not."""
    names = ["endpoints.json", "endpoints/b.yml", "endpoints/a.yaml", "endpoints/c.json"]
    files: dict[str, str | bytes] = {
        name: item(endpoint=f"e{n}") if name[-1] != "n" else '{"endpoints": []}'
        for n, name in enumerate(names)
    }
    files |= {
        "endpoints/.hidden.yaml": "x: [",
        "endpoints/notes.txt": "x: [",
        "endpoints/dir.yaml/.x/x.yaml": "x: [",
        "endpoints/dir.yaml/x.JSON": '{"endpoints": []}',
    }
    result = loaded(tmp_path, files)
    assert result.problems == ()
    assert result.endpoint_files == (
        "endpoints.json",
        "endpoints/a.yaml",
        "endpoints/b.yml",
        "endpoints/c.json",
        "endpoints/dir.yaml/x.JSON",
    )
    assert [desired.name for desired in result.desired] == ["e2", "e1"]


@pytest.mark.parametrize("files", [{}, {"endpoints/readme.txt": ""}])
def test_no_endpoint_file(tmp_path: Path, files: dict[str, str]) -> None:
    """The hint for a directory without endpoint files says how to create one."""
    result = loaded(tmp_path, files)
    assert [problem.code for problem in result.problems] == ["no-endpoints"]
    assert not result.has_endpoint_files
    assert result.problems[0].hint.startswith("reconciler init")


def test_unusual_files(tmp_path: Path) -> None:
    """A dangling link, a directory named like a file, and a file named like the directory do not crash."""
    write(tmp_path, {"endpoints": "x", "endpoints.yml/x": ""})
    (tmp_path / "endpoints.yaml").symlink_to("nowhere")
    assert problem_lines(loaded(tmp_path, {}).problems) == [
        "endpoints.yaml:1:1 file-not-found | check the path; it is relative to -C DIR",
        "endpoints.yml:1:1 unreadable-file | name a YAML or JSON file",
    ]


def test_an_unlistable_directory_is_not_empty() -> None:
    """One file stands for its unknown files, and reading it reports the reason."""
    directory = Path("x" * 5000)
    assert search_folder(directory).files == [directory / "*.yaml"]


def test_paths_that_are_too_long(tmp_path: Path) -> None:
    """A name that the file system refuses is a problem."""
    config = f"novita: {{config_dir: {'x' * 5000}}}"
    result = loaded(tmp_path, {"config.yaml": config}, named=["y" * 5000])
    assert codes(result.problems) == ["unreadable-file", "unreadable-file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_directory(tmp_path: Path) -> None:
    """Endpoints that cannot be read do not count as removed."""
    write(tmp_path, {"endpoints/a.yaml": item()})
    (tmp_path / "endpoints").chmod(0)
    try:
        assert codes(loaded(tmp_path, {}).problems) == ["unreadable-file"]
    finally:
        (tmp_path / "endpoints").chmod(0o755)


def test_places_are_relative_to_the_root(tmp_path: Path) -> None:
    """Files are named as the user would type them, independent of the root."""
    write(tmp_path, {"infra/endpoints.yaml": "x", "other.yaml": "x"})
    result = load(tmp_path / "infra", [Path("./endpoints.yaml"), tmp_path / "other.yaml"], environ={})
    assert result.endpoint_files == ("endpoints.yaml", str(tmp_path / "other.yaml"))


def test_places_of_desired_endpoints(tmp_path: Path) -> None:
    """Each desired endpoint has the place of its name."""
    result = loaded(tmp_path, {"endpoints.yaml": "defaults: {specName: one}\n" + item(image="y:1")})
    assert str(result.desired[0].place) == "endpoints.yaml:3:13"


def test_refused_fields_are_left_to_the_mapping(tmp_path: Path) -> None:
    """Fields of the documented request that Novita does not offer pass the schema with any value."""
    text = item(volumeMounts="[{pvcName: p, mountPath: /x}]", shmSize="1Gi", enablePtrace="true")
    result = loaded(tmp_path, {"endpoints.yaml": text})
    assert codes(result.problems) == ["unsupported-field"] * 3


def test_overrides_replace_files(tmp_path: Path) -> None:
    """An override is read instead of a file, also if the file does not exist."""
    write(tmp_path, {"endpoints.yaml": "\ufeff" + item(endpoint="old")})
    other = {
        Path("specs.yaml"): SPECS,
        Path("endpoints.yaml"): "\ufeff" + item(endpoint="new"),
        Path("endpoints/more.yaml"): item(endpoint="more"),
        Path("endpoints/notes.txt"): "not read",
        tmp_path / "endpoints/none.yaml": "endpoints: [",
    }
    result = load(tmp_path, environ={}, overrides=other)
    assert [desired.name for desired in result.desired] == ["new", "more"]
    assert [str(problem.place) for problem in result.problems] == ["endpoints/none.yaml:1:12"]
    assert list(tmp_path.iterdir()) == [tmp_path / "endpoints.yaml"]


@pytest.mark.parametrize("named", ["sub", "sub/a.yaml", "./sub/../sub/a.yaml"])
def test_overrides_replace_named_files(tmp_path: Path, named: str) -> None:
    """`-f` finds them by file and by directory, however the path is spelled."""
    (tmp_path / "sub").mkdir()
    texts = {Path("sub/a.yaml"): item(endpoint="a"), Path("specs.yaml"): SPECS}
    result = load(tmp_path, [Path(named)], environ={}, overrides=texts)
    assert ([desired.name for desired in result.desired], result.problems) == (["a"], ())


def test_the_policy_of_an_endpoint_is_merged_over_the_defaults(tmp_path: Path) -> None:
    """Key by key, as other mappings. A fault has its place; it does not hide the others."""
    text = """
defaults: {specName: one, image: "x:1", sync: {drift: revert, prune: true}}
endpoints:
  - {endpoint: a, sync: {prune: false, apply: auto}}
  - {endpoint: b, sync: null}
  - {endpoint: c, sync: {windows: [{kind: allow, cron: "0 8 * * *", duration: 1h, tz: Berlin}]}}
"""
    result = loaded(tmp_path, {"endpoints.yaml": text})

    assert [(one.name, one.sync) for one in result.desired] == [
        ("a", {"drift": "revert", "prune": False, "apply": "auto"}),
        ("b", {}),
    ]
    assert [(str(one.place), one.address, one.code) for one in result.problems] == [
        ("endpoints.yaml:6:87", "novita_endpoint.c", "bad-time-zone")
    ]
