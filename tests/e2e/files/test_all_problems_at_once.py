"""One round of `validate` tells all: each value is judged where it is sound by itself."""

import pytest

from tests.e2e.sandbox import Sandbox


def told(sandbox: Sandbox, *args: str) -> list[str]:
    """`line:column code` of each problem."""
    document = sandbox.run(*args, "validate", "--json").document
    return [f"{one['line']}:{one['column']} {one['code']}" for one in document["problems"]]


ITEM = "- endpoint: chat\n  specName: small\n  image: x:1\n"

SPECIMENS = [
    (
        "defaults:\n  zzz: 1\n  specName: smal\n"
        "endpoints:\n- endpoint: chat\n  image: x:1\n"
        "  appName: Bad_Name\n  minReplicas: 5\n  maxReplicas: 3\n",
        ["2:3 unknown-key", "3:13 unknown-spec", "7:12 bad-format", "8:16 min-above-max"],
    ),
    (
        # a fault of form in one field, and faults of meaning in others of the same item
        "endpoints:\n" + ITEM + "  port: 0\n  replicas: 0\n  shmSize: 1g\n"
        "  storage: [{type: local, sizeGb: x, mountPath: /m}, {type: local, sizeGb: 1, mountPath: /m}]\n"
        "  lifecycle: {ignoreChanges: [5, nope]}\n",
        [
            "5:9 out-of-range",
            "6:13 replicas-zero",
            "7:12 unsupported-field",
            "8:35 wrong-type",
            "8:90 duplicate-mount",
            "9:31 not-text",
            "9:34 unknown-ignore",
        ],
    ),
    (
        # an item without a name of its own
        "endpoints:\n" + ITEM + ITEM + "  replicas: 0\n- image: x:1\n  specName: nope\n  port: 0\n",
        [
            "5:13 duplicate-endpoint",
            "8:13 replicas-zero",
            "9:3 missing-key",
            "10:13 unknown-spec",
            "11:9 out-of-range",
        ],
    ),
    (
        # a name that cannot be one, and what else is wrong below it
        "endpoints:\n- endpoint: ''\n  specName: nope\n  image: ''\n  minReplicas: 12\n",
        ["2:13 bad-format", "3:13 unknown-spec", "4:10 bad-format", "5:16 min-above-max"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), SPECIMENS)
def test_one_round_tells_all(sandbox: Sandbox, text: str, expected: list[str]) -> None:
    sandbox.write("endpoints.yaml", text)
    assert told(sandbox) == expected


CONSEQUENCES = [
    # what is at fault, and what follows from it alone
    ("endpoints:\n- endpoint: chat\n  specName: small\n  imge: x\n", ["4:3 unknown-key"]),
    ("endpoints:\n" + ITEM + "  minReplicas: 20\n  maxReplica: 30\n", ["6:3 unknown-key"]),
    ("endpoints:\n" + ITEM + "  minReplicas: 20\n  maxReplicas: many\n", ["6:16 wrong-type"]),
    ("endpoints:\n" + ITEM + "  minReplicas: 20\n  maxReplicas:\n", ["6:3 empty-value"]),
    ("defaults: {specName: 5}\nendpoints:\n- {endpoint: a, image: x:1}\n", ["1:22 not-text"]),
    ("defaults: {imge: x}\nendpoints:\n- {endpoint: a, specName: small}\n", ["1:12 unknown-key"]),
    ("default: {image: x:1}\nendpoints:\n- {endpoint: a, specName: small}\n", ["1:1 unknown-key"]),
    ("defaults: [image]\nendpoints:\n- {endpoint: a}\n- {endpoint: b}\n", ["1:11 wrong-type"]),
    ("endpoints:\n" + ITEM.replace("chat", "My_App") + "  appName: X\n", ["5:12 bad-format"]),
    ("endpoints:\n" + ITEM + "  policy: {tpe: queue, value: 1}\n", ["5:12 unknown-key"]),
]


@pytest.mark.parametrize(("text", "expected"), CONSEQUENCES)
def test_no_consequence_is_told(sandbox: Sandbox, text: str, expected: list[str]) -> None:
    sandbox.write("endpoints.yaml", text)
    assert told(sandbox) == expected
