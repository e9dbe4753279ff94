"""The public names of `reconciler`, for type checkers; at run time each is imported on first use."""

from reconciler.model.errors import (
    AnswerLost as AnswerLost,
)
from reconciler.model.errors import (
    ApiError as ApiError,
)
from reconciler.model.errors import (
    EndpointNotFound as EndpointNotFound,
)
from reconciler.model.errors import (
    IncompleteListing as IncompleteListing,
)
from reconciler.model.errors import (
    InvalidConfig as InvalidConfig,
)
from reconciler.model.errors import (
    InventoryError as InventoryError,
)
from reconciler.model.errors import (
    InventoryLocked as InventoryLocked,
)
from reconciler.model.errors import (
    KeyRefused as KeyRefused,
)
from reconciler.model.errors import (
    NotApplied as NotApplied,
)
from reconciler.model.errors import (
    NotFound as NotFound,
)
from reconciler.model.errors import (
    ReconcilerError as ReconcilerError,
)
from reconciler.model.errors import (
    Refused as Refused,
)
from reconciler.model.errors import (
    ServerError as ServerError,
)
from reconciler.model.errors import (
    Throttled as Throttled,
)
from reconciler.model.errors import (
    Unreachable as Unreachable,
)
from reconciler.model.errors import (
    UnsupportedByNovita as UnsupportedByNovita,
)
from reconciler.model.problem import Place as Place
from reconciler.model.problem import Problem as Problem
from reconciler.model.problem import Severity as Severity
from reconciler.model.secrets import Secret as Secret
from reconciler.model.status import (
    AppStatus as AppStatus,
)
from reconciler.model.status import (
    Condition as Condition,
)
from reconciler.model.status import (
    ConditionType as ConditionType,
)
from reconciler.model.status import (
    Happening as Happening,
)
from reconciler.model.status import (
    ReplicaEvent as ReplicaEvent,
)
from reconciler.model.status import (
    SpecInfo as SpecInfo,
)
from reconciler.model.status import (
    Status as Status,
)
from reconciler.model.status import (
    StorageInfo as StorageInfo,
)
from reconciler.model.status import (
    Worker as Worker,
)
from reconciler.novita.http.client import Client as Client
from reconciler.sdk.aio import AsyncNovitaDeploymentProvider as AsyncNovitaDeploymentProvider
from reconciler.sdk.provider import NovitaDeploymentProvider as NovitaDeploymentProvider
from reconciler.sdk.requests import (
    DeployRequest as DeployRequest,
)
from reconciler.sdk.requests import (
    UpdateDeploymentRequest as UpdateDeploymentRequest,
)
from reconciler.sdk.responses import AppInfo as AppInfo
from reconciler.sdk.responses import DeployResponse as DeployResponse

__version__: str

def check_platform() -> None: ...
