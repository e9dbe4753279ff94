"""An embedded Novita: the endpoint API with its habits and uncertainties, for tests, demos and rehearsals.

It is written from what is publicly known about the API and shares no code with the reconciler, so that
a misunderstanding of the API shows up on one side only. Every habit nobody could confirm is a switch of
`Profile`.

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
