"""A simulator of Novita's endpoint API, for tests and demos.

It is written from public knowledge of the API and shares no mapping code with the reconciler, so that an
error in one of the two is found. Each behaviour that no source confirms is a switch of `Profile`.

    with Server(profile=Profile(list_lag_seconds=2)) as sim:
        httpx.get(sim.url + "/gpu-instance/openapi/v1/endpoints", headers={"Authorization": "Bearer any"})
"""

from reconciler.simulator.api import Request, Response
from reconciler.simulator.embedded import embedded
from reconciler.simulator.faults import Fault, Faults, parse_fault
from reconciler.simulator.profile import Profile
from reconciler.simulator.server import Received, Server
from reconciler.simulator.world import World

__all__ = [
    "Fault",
    "Faults",
    "Profile",
    "Received",
    "Request",
    "Response",
    "Server",
    "World",
    "embedded",
    "parse_fault",
]
