"""The peers in an environment of their own, and an account for them to work on."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.simulator import Profile, Server

from ..simulator.api import Api, worker_config

# Exact, for the tables tell what these versions send.
PACKAGES = ("novita==0.1.0", "novita-sdk==0.5.0")
KEY = "key-of-the-account"


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has both packages and nothing of ours."""
    home = tmp_path_factory.mktemp("peers")
    venv.create(home, with_pip=False)
    interpreter = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", interpreter]
    done = subprocess.run(
        [*pip, "install", "--retries=1", "--timeout=30", *PACKAGES],
        capture_output=True,
        text=True,
        timeout=150,
    )
    if done.returncode != 0:
        why = done.stderr.strip().rpartition("\n")[2]
        pytest.skip(f"pip cannot install {' and '.join(PACKAGES)}: {why}")
    return interpreter


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A Python process beside an account; `ids` are of its one endpoint, credential and storage."""

    python: Path
    sim: Server
    ids: dict[str, str]

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end, with the account's URL and then `arguments` on its command line."""
        return subprocess.run(
            [self.python, "-c", program, self.sim.url, *arguments],
            env={"NOVITA_API_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def seen(self) -> list[tuple[str, int]]:
        """Operation and status of each request of the peer."""
        return [(one.operation, one.status) for one in self.sim.requests]


@pytest.fixture
def profile() -> Profile:
    """The habits the account has; a module may say otherwise."""
    return Profile()


@pytest.fixture
def peer(python: Path, profile: Profile) -> Iterator[Peer]:
    """An account with one of each kind; its endpoint is scaled to zero, for one peer cannot read workers."""
    with Server(profile=profile, seed=1) as sim:
        api = Api(sim.world)
        endpoint = api.create(workerConfig=worker_config(minNum=0))
        api.post("/repository/auth/save", {"name": "docker.io", "username": "me", "password": "secret"})
        api.post(
            "/networkstorage/create",
            {"clusterId": "us-dallas-nas-2", "storageName": "models", "storageSize": 100},
        )
        ids = {
            "endpoint": endpoint,
            "auth": api.get("/repository/auths")[1]["data"][0]["id"],
            "storage": api.get("/networkstorages/list")[1]["data"][0]["storageId"],
        }
        sim.world.switch(api_key=KEY)
        yield Peer(python=python, sim=sim, ids=ids)
