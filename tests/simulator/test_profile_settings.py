"""Switches written as NAME=VALUE."""

from dataclasses import fields
from typing import Any

import pytest

from reconciler.simulator import Profile
from reconciler.simulator.profile import describe, profile_from


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("number_style=int", "number_style", "int"),
        ("page-base=1", "page_base", 1),
        ("not_found_status=404", "not_found_status", 404),
        ("no_stock=true", "no_stock", True),
        ("tombstones=off", "tombstones", False),
        ("total_offset=-2", "total_offset", -2),
        ("list_lag_seconds=2.5", "list_lag_seconds", 2.5),
        ("api_key=a=b", "api_key", "a=b"),
        ("api_key=none", "api_key", None),
        ("cuda_fill=12.8", "cuda_fill", "12.8"),
        ("cuda_fill=none", "cuda_fill", ""),
        ("known_clusters=a, b,", "known_clusters", ("a", "b")),
        ("clamp.workerConfig.freeTimeout=100", "clamp", {"workerConfig.freeTimeout": 100}),
    ],
)
def test_a_switch_is_set(text: str, name: str, value: Any) -> None:
    """Each type of switch is read from text, and only that switch changes."""
    profile = profile_from([text])
    assert getattr(profile, name) == value
    changed = [
        one.name for one in fields(Profile) if getattr(profile, one.name) != getattr(Profile(), one.name)
    ]
    assert changed == ([] if value in (None, "") else [name])


def test_settings_add_up() -> None:
    """Entries of a mapping join those that are there; the last word counts."""
    texts = [
        "limits.minGPUNum=none",
        "limits.maxGPUNum=4",
        "limits.cudaVersionList=12.8,12.9",
        "page_base=1",
        "page_base=0",
    ]
    profile = profile_from(texts, Profile(no_stock=True))
    assert (profile.limits["maxGPUNum"], profile.limits["maxFreeTimeout"]) == (4, 1000)
    assert "minGPUNum" not in profile.limits
    assert profile.limits["cudaVersionList"] == ["12.8", "12.9"]
    assert (profile.page_base, profile.no_stock) == (0, True)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("no_stock", "NAME=VALUE"),
        ("no_stok=1", "did you mean no_stock"),
        ("zzzz=1", "There are: number_style"),
        ("page_base=2", "none of 0, 1"),
        ("no_stock=maybe", "neither true nor false"),
        ("list_lag_seconds=soon", "not a number"),
        ("list_lag_seconds=nan", "out of range"),
        ("latency_seconds=-1", "out of range"),
        ("clamp=3", r"clamp\.KEY=VALUE"),
        ("clamp.rootfsSize=x", "not a number"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(text: str, hint: str) -> None:
    """The message of the error helps along."""
    with pytest.raises(ValueError, match=hint):
        profile_from([text])


def test_every_switch_is_described_and_aligned() -> None:
    """One line each: name, default, meaning, all in columns."""
    lines = describe().splitlines()
    assert [line.split()[0] for line in lines] == [one.name for one in fields(Profile)]
    starts = {line.index(one.metadata["meaning"]) for line, one in zip(lines, fields(Profile), strict=True)}
    assert len(starts) == 1
    assert "page_base" in lines[5]
    assert lines[5].endswith("(0 | 1)")
