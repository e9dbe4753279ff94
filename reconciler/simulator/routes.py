"""Which method and path is which operation; faults, logs and the world speak of operations only."""

BASE = "/gpu-instance/openapi/v1"

ROUTES = {
    ("POST", "/endpoint/create"): "create",
    ("GET", "/endpoint"): "get",
    ("GET", "/endpoints"): "list",
    ("POST", "/endpoint/update"): "update",
    ("POST", "/endpoint/delete"): "delete",
    ("GET", "/endpoint/limit"): "limit",
    ("POST", "/endpoint/worker/drain"): "drain",
    ("GET", "/clusters"): "clusters",
    ("GET", "/products"): "products",
    ("GET", "/repository/auths"): "auths",
    ("POST", "/repository/auth/save"): "auth_save",
    ("POST", "/repository/auth/delete"): "auth_delete",
    ("GET", "/networkstorages/list"): "storages",
    ("POST", "/networkstorage/create"): "storage_create",
    ("POST", "/networkstorage/update"): "storage_update",
    ("POST", "/networkstorage/delete"): "storage_delete",
}

UNKNOWN = "unknown"
OPERATIONS = frozenset(ROUTES.values())
WRITES = frozenset(name for (method, _), name in ROUTES.items() if method == "POST")
_PATHS = frozenset(path for _, path in ROUTES)


def operation_of(method: str, path: str) -> str:
    """The operation's name, or `unknown`."""
    return ROUTES.get((method, path.removeprefix(BASE)), UNKNOWN) if path.startswith(BASE) else UNKNOWN


def is_path(path: str) -> bool:
    """Whether some method is offered under this path."""
    return path.startswith(BASE) and path.removeprefix(BASE) in _PATHS
