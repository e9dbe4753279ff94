"""Declare Novita AI Serverless endpoints in YAML; plan, apply and guard them.

From Python: `from reconciler import NovitaDeploymentProvider, DeployRequest` (docs/sdk.md). Names are
imported on first use, so that `import reconciler` is fast; `__init__.pyi` declares them for type checkers.
"""

import sys

__version__ = "0.1.0"

_NAMES_BY_MODULE = {
    "sdk.provider": ("NovitaDeploymentProvider",),
    "sdk.aio": ("AsyncNovitaDeploymentProvider",),
    "sdk.requests": ("DeployRequest", "UpdateDeploymentRequest"),
    "sdk.responses": ("AppInfo", "DeployResponse"),
    "model.status": (
        "AppStatus",
        "Condition",
        "ConditionType",
        "Happening",
        "ReplicaEvent",
        "SpecInfo",
        "StorageInfo",
        "Status",
        "Worker",
    ),
    "novita.http.client": ("Client",),
    "model.secrets": ("Secret",),
    "model.problem": ("Place", "Problem", "Severity"),
    "model.errors": (
        "AnswerLost",
        "ApiError",
        "EndpointNotFound",
        "IncompleteListing",
        "InvalidConfig",
        "InventoryError",
        "InventoryLocked",
        "KeyRefused",
        "NotApplied",
        "NotFound",
        "ReconcilerError",
        "Refused",
        "ServerError",
        "Throttled",
        "Unreachable",
        "UnsupportedByNovita",
    ),
}
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE_OF)]


def check_platform() -> None:
    """Raise ImportError on Windows, which has neither file locks nor user IDs as Linux and macOS do."""
    if sys.platform == "win32":
        raise ImportError(
            "reconciler does not run on Windows itself: install it in the Linux of WSL, "
            "which `wsl --install` sets up"
        )


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_platform()
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
