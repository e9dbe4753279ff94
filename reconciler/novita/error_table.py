"""The error table: the meaning, the exception and the hint for each reason that Novita answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reconciler.model.errors import ApiError, KeyRefused, NotFound, Refused, ServerError, Throttled
from reconciler.model.lazy_dataclass import dataclass
from reconciler.novita.errors import BUSY_POLICY, CLUSTER_POLICY, DEFAULT_POLICY, Retry, RetryPolicy
from reconciler.novita.messages import CONSOLE

KEYS_REFUSED: Final = ("VALIDATOR_PARAM", "INVALID_REQUEST_BODY", "REQUEST")
"""Reasons for a refused key or value of a request; another key may be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One row of the table. `cause` is full sentences. `summary`, if set, replaces "failed to ..."."""

    error_class: type[ApiError]
    code: str
    cause: str
    hint: str
    retry: Retry = Retry.NEVER
    policy: RetryPolicy = DEFAULT_POLICY
    summary: str = ""


KEY = ErrorEntry(
    error_class=KeyRefused,
    code="key-refused",
    cause="Invalid API key or expired token.",
    hint=f"Verify API key in Novita Console ({CONSOLE}), update config.yaml with correct API key"
    " (or export NOVITA_API_KEY), then run `reconciler plan`",
)
ACCOUNT = ErrorEntry(
    error_class=KeyRefused,
    code="account-blocked",
    cause="The account is out of money or blocked. Until that is settled Novita scales its workers to zero"
    " and refuses changes.",
    hint=f"Settle it in Novita Console ({CONSOLE}), then run `reconciler plan`; workers come back by"
    " themselves",
)
UNVERIFIED = ErrorEntry(
    error_class=KeyRefused,
    code="account-blocked",
    cause="The account is not activated, or its owner's name is not verified yet.",
    hint=f"Complete the account in Novita Console ({CONSOLE}), then run `reconciler plan`",
)
PERMISSION = ErrorEntry(
    error_class=KeyRefused,
    code="key-lacks-permission",
    cause="The API key is valid, and lacks the permission for this call.",
    hint=f"Give the key that permission in Novita Console ({CONSOLE}), or use another key, then run"
    " `reconciler plan`",
)
EDGE = ErrorEntry(
    error_class=Refused,
    code="edge-blocked",
    cause="The network in front of Novita (its CDN, or a proxy on the way) blocked the call with a page of"
    " its own. That is not a bad key: Novita itself never saw the request.",
    hint="Try from another network or without the proxy; if it stays, send support the text above,"
    " and run `reconciler plan` to see it again",
)
ABSENT = ErrorEntry(
    error_class=NotFound,
    code="not-found",
    summary="endpoint not found in Novita",
    cause="The endpoint was deleted elsewhere, or our record of it is stale.",
    hint="Run `reconciler plan`, which looks again; if the endpoint truly doesn't exist, `reconciler apply`"
    " creates a new one",
)
ADDRESS = ErrorEntry(
    error_class=Refused,
    code="wrong-address",
    cause="There is no such call at this address.",
    hint="Correct `novita.base_url` in config.yaml (or NOVITA_BASE_URL; Novita's own is https://api.novita.ai),"
    " then run `reconciler plan`",
)
PRODUCT = ErrorEntry(
    error_class=Refused,
    code="bad-reference",
    cause="Invalid product ID or region.",
    hint=f"Check available products in Novita Console ({CONSOLE}), update specs.yaml with correct productId"
    " and region, verify the product is available in the specified region, then run `reconciler plan`",
)
IMAGE = ErrorEntry(
    error_class=Refused,
    code="bad-reference",
    cause="Novita cannot find or use the image.",
    hint="Correct `image` (and `imageAuthId` for a private one) in endpoints.yaml, then run"
    " `reconciler plan`",
)
REFERENCE = ErrorEntry(
    error_class=Refused,
    code="bad-reference",
    cause="The request names something that does not exist in this account.",
    hint=f"Compare the IDs in endpoints.yaml and specs.yaml with Novita Console ({CONSOLE}),"
    " then run `reconciler plan`",
)
TAKEN = ErrorEntry(
    error_class=Refused,
    code="conflict",
    cause="The name is taken, or the object changed while we worked on it.",
    hint="Run `reconciler plan` to see who has the name, and choose another `appName`",
)
INPUT = ErrorEntry(
    error_class=Refused,
    code="invalid-value",
    cause="Novita does not accept a value of the request.",
    hint="Run `reconciler preview` to see the exact request, correct the value in endpoints.yaml, then run"
    " `reconciler plan`",
)
STATE = ErrorEntry(
    error_class=Refused,
    code="wrong-state",
    cause="The endpoint, or something it depends on, is busy with another operation.",
    hint="Wait a minute, then run `reconciler apply` again",
    retry=Retry.ALWAYS,
    policy=BUSY_POLICY,
)
INACTIVE = ErrorEntry(
    error_class=Refused,
    code="cluster-inactive",
    cause="The serverless cluster of this region is still waking up; that happens after the last endpoint in"
    " it was deleted, and passes.",
    hint="Wait a minute, then run `reconciler apply` again; if it stays, choose another `region` in"
    " specs.yaml",
    retry=Retry.ALWAYS,
    policy=CLUSTER_POLICY,
)
STOCK = ErrorEntry(
    error_class=Refused,
    code="no-stock",
    cause="Novita has no GPU of that kind to give in that region now.",
    hint="Choose another spec or region in specs.yaml, or run `reconciler apply` again later",
)
IN_USE = ErrorEntry(
    error_class=Refused,
    code="in-use",
    cause="Novita deletes no registry credential and no storage that an endpoint uses.",
    hint="Change or delete what uses it first, then run `reconciler apply` again",
)
DEPENDENCY = ErrorEntry(
    error_class=Refused,
    code="dependency",
    cause="Something the endpoint uses is in use elsewhere, not available in this region, or too large.",
    hint=f"Look at it in Novita Console ({CONSOLE}), correct endpoints.yaml, then run `reconciler plan`",
)
QUOTA = ErrorEntry(
    error_class=Throttled,
    code="throttled",
    cause="Too many calls, or the account's GPU quota is used up: Novita gives this one reason for both, and"
    " the quota never clears by waiting.",
    hint="Run it again in some minutes with a lower --parallelism; if the answer stays the same, ask Novita"
    " support for a higher GPU quota",
    retry=Retry.ALWAYS,
)
LIMIT = ErrorEntry(
    error_class=Refused,
    code="quota-exceeded",
    cause="The account has as many endpoints or GPUs as its quota allows; waiting does not change that.",
    hint="Delete unused endpoints, or ask Novita support for a higher quota, then run `reconciler apply`",
)
BUSY = ErrorEntry(
    error_class=Throttled,
    code="throttled",
    cause="Too many calls in a short time; nothing was done.",
    hint="Run it again in a minute, with a lower --parallelism",
    retry=Retry.ALWAYS,
)
BROKEN = ErrorEntry(
    error_class=ServerError,
    code="server-error",
    cause="Novita failed on its side.",
    hint="Run it again in a minute; `reconciler plan -v` shows each call",
    retry=Retry.IF_IDEMPOTENT,
)
OTHER = ErrorEntry(
    error_class=Refused,
    code="refused",
    cause="Novita refused the call, and asking again would not change that.",
    hint="Run `reconciler preview` to see the exact request, or `reconciler plan -v` to see each call",
)

REASONS = {
    **dict.fromkeys(("UNAUTHORIZED", "FORBIDDEN", "INVALID_API_KEY", "MISSING_API_KEY"), KEY),
    **dict.fromkeys(("BILLING_AUTH_FAILED", "API_NOT_ALLOWED", "ACCESS_DENY"), PERMISSION),
    **dict.fromkeys(("FEATURE_NOT_ALLOWED", "PERMISSION_DENIED"), PERMISSION),
    **dict.fromkeys(("BALANCE_NOT_ENOUGH", "EXPIRED_OR_BALANCE_NOT_ENOUGH", "BANNED_USER"), ACCOUNT),
    **dict.fromkeys(("NOT_ENOUGH_BALANCE", "BILLING_BALANCE_NOT_ENOUGH", "NOT_ENOUGH_BUDGET"), ACCOUNT),
    **dict.fromkeys(("NEED_REAL_NAME_VERIFY", "USER_NOT_ACTIVATED"), UNVERIFIED),
    "API_NOT_FOUND": ADDRESS,
    "SERVERLESS_PRODUCT_NOT_FOUND": PRODUCT,
    **dict.fromkeys(("IMAGE_NOT_FOUND", "IMAGE_URL_OR_AUTH_ERROR"), IMAGE),
    **dict.fromkeys(("SERVERLESS_APP_NAME_IS_EXIST", "CONFLICT"), TAKEN),
    **dict.fromkeys((*KEYS_REFUSED, "INVALID_COMMAND_PARAM"), INPUT),
    **dict.fromkeys(("UNSUPPORTED_BILLING_MODE", "CUDA_VERSION_INCOMPATIBLE"), INPUT),
    **dict.fromkeys(("OPERATION_LIMIT", "CLUSTER_STATUS", "DEPENDENT_RESOURCE_STATE", "NODE_STATUS"), STATE),
    "INSUFFICIENT_RESOURCE": STOCK,
    "RATE_LIMIT_EXCEEDED": QUOTA,
    **dict.fromkeys(("CREATE_INSTANCE_LIMIT", "CREATE_GPU_NUM_LIMIT"), LIMIT),
    **dict.fromkeys(("IMAGE_AUTH_IN_USE", "NETWORK_STORAGE_IN_USE"), IN_USE),
    "CUR_CLUSTER_NETWORK_STORAGE_NOT_SUPPORT": DEPENDENCY,
    **dict.fromkeys(("UNKNOWN", "WALLET_NOT_FOUND", "SERVICE_UNAVAILABLE"), BROKEN),
}


def is_not_found(reason: str) -> bool:
    """Return whether a reason says that something does not exist. Novita's console also knows NOT_FOUNT."""
    return "NOT_FOUN" in reason


def by_reason(reason: str) -> ErrorEntry | None:
    """Return the entry of a known reason, by its name or its suffix, or None."""
    if known := REASONS.get(reason):
        return known
    if is_not_found(reason):
        own = reason.startswith("NOT_FOUN") or "ENDPOINT" in reason or "RESOURCE" in reason
        return ABSENT if own else REFERENCE
    if reason.endswith("_TOO_FAST"):
        return BUSY
    if reason.endswith(("_UNAVAILABLE", "_TOO_LARGE")):
        return DEPENDENCY
    return None


def uncertain(reason: str) -> ErrorEntry:
    """Return the entry of a reason whose status leaves open whether the call was carried out."""
    known = REASONS.get(reason, BROKEN)
    return (
        BROKEN if known is BROKEN else replace(BROKEN, cause=f"{BROKEN.cause} {known.cause}", hint=known.hint)
    )
