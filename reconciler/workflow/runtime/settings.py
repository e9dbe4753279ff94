"""The settings of a run, its API key and its base URL. Imports little, for an early listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.config.settings import load_settings, missing_key_problem
from reconciler.model.errors import InvalidConfig
from reconciler.model.secrets import Secret

if TYPE_CHECKING:
    from reconciler.model.settings import Settings
    from reconciler.workflow.runtime.context import Context

SIMULATOR_URL = "http://simulator"
"""Placeholder for the address of the simulator in this process."""


def valid_settings(context: Context, *, lenient: bool = False) -> Settings:
    """Return the settings; the endpoint files are not read. Raise InvalidConfig for errors in them.

    With `lenient` an unset reference is a warning.
    """
    settings, problems = load_settings(
        context.root,
        environ=context.environ,
        dotenv=context.dotenv,
        lenient=lenient,
        environment=context.environment_name,
        helper_calls=context.helper_calls,
        on_wait=context.on_wait,
    )
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)
    return settings


def prewarm_timeout(context: Context, settings: Settings) -> float:
    """Return the seconds that an apply waits for images to be warmed."""
    return settings.prewarm_timeout if context.prewarm_timeout is None else context.prewarm_timeout


def base_url(settings: Settings) -> str:
    """Return the root of every URL, without a trailing slash."""
    return SIMULATOR_URL if settings.is_simulator else settings.base_url


def require_api_key(settings: Settings) -> Secret:
    """Return the API key to send; the simulator accepts any. Raise InvalidConfig if there is none."""
    if settings.api_key:
        return settings.api_key
    if settings.is_simulator:
        return Secret(value="simulator", source="simulator")
    raise InvalidConfig(settings.key_problem or missing_key_problem())
