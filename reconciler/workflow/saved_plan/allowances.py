"""The allowances of a saved plan as JSON. Keys that plans of earlier releases lack have defaults."""

from __future__ import annotations

from typing import Any

from reconciler.model.settings import Allowances
from reconciler.model.values import Json
from reconciler.workflow.saved_plan.change_facts import of_type


def allowances_to_json(allow: Allowances) -> dict[str, Json]:
    """Return the options that the plan was made with."""
    return {
        "adopt": allow.adopt,
        "allow_delete": allow.deletes,
        "no_delete": allow.no_delete,
        "create_first": allow.create_first,
        "other_files": allow.other_files,
        "other_account": allow.other_account,
        "adopted": allow.adopted,
        "storage_deletes": allow.storage_deletes,
        "replaced": allow.replaced,
        "restarts": allow.restarts,
        "over_budget": allow.over_budget,
        "no_disruption": allow.no_disruption,
        "preflight": allow.preflight,
    }


def allowances_from_json(document: Any) -> Allowances:
    """Return the options. Raise KeyError, TypeError or ValueError if the document is malformed."""
    return Allowances(
        adopt=of_type(bool, document["adopt"]),
        deletes=of_type(int | None, document["allow_delete"]),
        no_delete=of_type(bool, document["no_delete"]),
        create_first=of_type(bool, document["create_first"]),
        other_files=of_type(bool, document.get("other_files", False)),
        other_account=of_type(bool, document.get("other_account", False)),
        adopted=of_type(bool, document.get("adopted", False)),
        storage_deletes=tuple(of_type(str, name) for name in document.get("storage_deletes", ())),
        replaced=tuple(of_type(str, name) for name in document.get("replaced", ())),
        restarts=of_type(bool, document.get("restarts", False)),
        over_budget=of_type(bool, document.get("over_budget", False)),
        no_disruption=of_type(bool, document.get("no_disruption", False)),
        preflight=of_type(bool, document.get("preflight", False)),
    )
