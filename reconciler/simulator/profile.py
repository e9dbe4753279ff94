"""The switches of the simulator, one for each behaviour that no source confirms."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from reconciler.model.lazy_dataclass import dataclass

T = TypeVar("T")

# The fallback values of the web console; no real answer of /endpoint/limit is public.
CONSOLE_LIMITS: Mapping[str, int | list[str]] = {
    "minRootfsSize": 10,
    "maxRootfsSize": 100,
    "freeRootfsSize": 100,
    "minLocalVolumeSize": 10,
    "maxLocalVolumeSize": 300,
    "freeLocalVolumeSize": 200,
    "minWorkerNum": 1,
    "maxWorkerNum": 1000,
    "minFreeTimeout": 1,
    "maxFreeTimeout": 1000,
    "minConcurrencyNum": 1,
    "maxConcurrencyNum": 1000,
    "minQueueWaitTime": 1,
    "maxQueueWaitTime": 1000,
    "minRequestNum": 1,
    "maxRequestNum": 1000,
    "minGPUNum": 1,
    "maxGPUNum": 8,
    "minRequestTimeout": 1,
    "maxRequestTimeout": 1800,
    "cudaVersionList": ["12.1", "12.2", "12.4", "12.6", "12.8"],
    "minAsyncRequestNum": 1,
    "maxAsyncRequestNum": 10,
}

# Invented, as no list of prices is public: in US dollars by 10 to the power of `price_precision`.
PRODUCT_PRICES: Mapping[str, int] = {
    "SL-serverless-1": 35_000,
    "SL-serverless-2": 41_000,
    "SL-serverless-3": 69_000,
    "SL-serverless-4": 189_000,
}


def switch(default: T, meaning: str) -> T:
    """Return a field with a one-line description for the command line."""
    value: T = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The behaviour of the simulated Novita, by default the likeliest. Times are in seconds."""

    # The docs have integers, clients of the real API have strings of digits.
    number_style: Literal["string", "int"] = switch(
        "string", "freeTimeout, maxConcurrent and policy.value in answers"
    )
    # Integers in the docs' get page, strings in their list page.
    port_style: Literal["int", "string"] = switch("int", "ports[].port in answers")
    # A null here once crashed a public client.
    healthy_null: bool = switch(False, "answer healthy as null")
    # One third-party description shows a flat body, all others the wrapper.
    get_wrapped: bool = switch(True, 'wrap the answer of get in {"endpoint": ...}')
    # One public client proves that null and absent lists occur.
    empty_as: Literal["list", "null", "absent"] = switch(
        "list", "how empty envs, volumeMounts and workers look"
    )

    # The official CLI counts pages from 0, the console from 1. Sizes and the end are not documented.
    page_base: Literal[0, 1] = switch(0, "number of the first page")
    page_zero: Literal["first", "400"] = switch("first", "what page 0 answers when pages count from 1")
    default_page_size: int = switch(10, "page size when none is asked for")
    max_page_size: int = switch(1000, "larger page sizes are cut to this")
    past_end: Literal["empty", "repeat", "400"] = switch("empty", "what a page past the end answers")
    # No source describes the order of listings.
    list_order: Literal["oldest", "newest"] = switch("oldest", "which endpoint a listing begins with")
    total_offset: int = switch(0, "added to total in listings: a server that miscounts")

    # According to one test suite, visible at once or within 2 s. Listings may be slower than reads.
    list_lag_seconds: float = switch(0.0, "time until a created endpoint appears in listings")
    get_lag_seconds: float = switch(0.0, "time until a created endpoint can be read by id")
    # One user sees an update after 2.5-3 s.
    update_lag_seconds: float = switch(0.0, "time during which reads still answer what was before an update")
    # No source compares both kinds of reads.
    list_behind_seconds: float = switch(0.0, "time that listings are behind updates and deletes")
    get_behind_seconds: float = switch(0.0, "time that reads by id are behind updates and deletes")

    # The docs put the ID into `name`, clients of the real API into `id`. It is unknown if others are refused.
    delete_key: Literal["either", "id", "name", "strict", "strict-name"] = switch(
        "either", "key that carries the id; strict: only id may be sent, strict-name: only name"
    )
    # A third-party test-suite saw deleted endpoints for a while.
    terminating_seconds: float = switch(0.0, "time a deleted endpoint stays readable in state terminating")
    not_found_status: Literal[400, 404] = switch(400, "status of an unknown endpoint; the reason stays")

    # Only appName has a documented "already exists" error.
    duplicate_names: Literal["allow", "refuse"] = switch("allow", "two endpoints with one name")
    # The docs ask for all fields. No source describes an omitted optional field.
    update_omitted: Literal["clear", "keep"] = switch("clear", "optional fields an update leaves out")
    # appName, products, rootfsSize, type, cudaVersion: no source shows them changing.
    immutable: Literal["ignore", "refuse"] = switch("ignore", "updates that try to change a fixed field")
    # Values above an undocumented maximum may be reduced silently.
    clamp: Mapping[str, int] = field(
        default_factory=dict,
        metadata={
            "meaning": "dotted field = largest value, applied silently (clamp.workerConfig.freeTimeout=1000)"
        },
    )
    # The newest docs require it. Two published clients create endpoints without it.
    request_timeout_fill: int = switch(
        0, "requestTimeout (seconds) the server fills in when none is given; 0: it is required"
    )
    # A default may be filled in when cudaVersion is left out.
    cuda_fill: str = switch("", "cudaVersion the server fills in when none is given")
    # Nothing proves that the order of envs survives.
    env_order: Literal["kept", "reversed", "shuffled"] = switch("kept", "order of envs in answers")
    extra_fields: bool = switch(False, "fields no document mentions, in every endpoint answer")
    # Older ids are 16 hex digits, newer ones 12 letters and digits.
    id_style: Literal["hex16", "mixed12"] = switch("hex16", "format of endpoint ids")

    # Only the limits are known of prewarm tasks; the account may be without them.
    prewarm_offered: bool = switch(True, "whether /image/prewarm exists")
    prewarm_seconds: float = switch(0.0, "time that a prewarm task takes")
    prewarm_error: str = switch("", "why new prewarm tasks fail; none: they succeed")
    prewarm_limit: int = switch(5, "number of prewarm tasks that there may be")
    prewarm_counts: Literal["all", "unfinished"] = switch("all", "the prewarm tasks that count for the limit")
    prewarm_largest_gb: int = switch(100, "largest image in GB that a prewarm task fetches")
    image_gb: int = switch(12, "size of images in GB")
    # The docs promise seconds after a prewarm.
    warm_boot_share: float = switch(0.1, "share of worker_boot_seconds that a warm image needs")

    # Minutes in reality, depending on the image.
    worker_boot_seconds: float = switch(0.0, "time from pending to running and healthy")
    tombstones: bool = switch(True, "workers in answers include removed ones")
    rolling_overlap: bool = switch(True, "old workers stay until the new ones run, above maxNum if need be")
    no_stock: bool = switch(False, "no worker can be scheduled")
    worker_error: str = switch("", "why no worker can start; none: they start")
    worker_state: str = switch("", "state of workers that cannot start, such as Exited; none: failed")
    # No source says what the gateway answers while no worker runs, or whether it holds the request.
    cold_answer: Literal["502", "503", "504", "hold"] = switch(
        "503", "what the URL of an endpoint answers while no worker is ready; hold: it waits for one"
    )
    event_pause_seconds: float = switch(0.0, "time between two events of a streamed answer of a worker")
    # No source says when an endpoint is failed.
    endpoint_state: str = switch("", "state that all endpoints answer; none: what their workers make of it")
    # Some clients count the start of billing from the boot, others from the first running second.
    billed_from: Literal["starting", "running"] = switch("starting", "when a worker gets its createdAt")
    overdue: bool = switch(False, "account overdue: create and update refused, workers gone")
    overdue_reason: Literal["BALANCE_NOT_ENOUGH", "NOT_ENOUGH_BALANCE", "BILLING_BALANCE_NOT_ENOUGH"] = (
        switch("BALANCE_NOT_ENOUGH", "reason of a refusal in an overdue account")
    )
    # Three days for an account in which nothing runs.
    release_seconds: float = switch(259_200.0, "time after which an overdue account loses its storages")
    balance: int = switch(1_000_000, "balance of the account in 1/10000 dollars; not above 0: overdue")
    credit_limit: int = switch(0, "credit of the account in 1/10000 dollars")

    cluster_inactive_tries: int = switch(0, "how many first creates fail with 'cluster is not active'")
    known_clusters: tuple[str, ...] = switch((), "cluster ids create accepts, comma-separated; none: any")
    # The console counts pages of storages from 1, as the docs do.
    storage_page_base: Literal[0, 1] = switch(1, "number of the first page of network storages")
    # No source says how soon a listing has a new credential or storage, or one is free for a delete.
    reference_lag_seconds: float = switch(0.0, "time until a new credential or storage is listed")
    in_use_lag_seconds: float = switch(
        0.0, "time that a credential or storage counts as used after its endpoint let go of it"
    )
    check_references: bool = switch(False, "refuse unknown image.authId and network volume ids")
    limit_offered: bool = switch(True, "whether /endpoint/limit exists")
    limits: Mapping[str, int | list[str]] = field(
        default_factory=lambda: dict(CONSOLE_LIMITS),
        metadata={"meaning": "answer of /endpoint/limit (limits.maxFreeTimeout=600; none leaves it out)"},
    )
    market_offered: bool = switch(True, "whether /gpus/v2/products and /gpus/v2/regions exist")
    # Only a message is known of errors there.
    v2_errors: Literal["message", "reason"] = switch(
        "message", "body of an error of /gpus/v2; reason: as in the first API"
    )
    # Read on the sister brand. No source shows a price, a unit or a precision of a serverless product.
    product_prices: Mapping[str, int] = field(
        default_factory=lambda: dict(PRODUCT_PRICES),
        metadata={
            "meaning": "price for one GPU (product_prices.SL-serverless-3=69000; none: without a price)"
        },
    )
    price_precision: int = switch(5, "digits after the point in prices of products")
    price_unit: str = switch("per_hour", "unit of the prices of products, such as per_second")
    storage_price: int = switch(500, "price for a GB of disk and day over the free size")
    product_stock: Mapping[str, int] = field(
        default_factory=dict,
        metadata={"meaning": "free GPUs of a product (product_stock.SL-serverless-3=0); 64 without an entry"},
    )
    hidden_products: tuple[str, ...] = switch((), "ids of products that are not listed, comma-separated")
    undeployable: tuple[str, ...] = switch((), "ids of products that cannot be deployed, comma-separated")
    market_page_size: int = switch(20, "products of a page when no limit is asked for")

    drain_offered: bool = switch(
        True, "whether /endpoint/worker/drain exists; one client uses it, no document"
    )
    auth_save_answer: Literal["empty", "id"] = switch("empty", "answer of /repository/auth/save")
    storage_create_answer: Literal["string", "object"] = switch("string", "answer of /networkstorage/create")

    api_key: str | None = switch(None, "the one accepted key; none: any non-empty bearer token")
    # No source says that Novita has such keys. A client that only reads should work with one.
    read_only_key: str | None = switch(None, "a key that may read, and is forbidden to write")
    latency_seconds: float = switch(0.0, "time every answer takes")

    @property
    def is_overdue(self) -> bool:
        """Return whether the account has no money left."""
        return self.overdue or self.balance + self.credit_limit <= 0


def profile_from(settings: Iterable[str], profile: Profile | None = None) -> Profile:
    """Return the profile with `NAME=VALUE` settings applied in order.

    `NAME.KEY=VALUE` sets an entry of a mapping, commas separate a list, and `none` is no value. Raise
    ValueError with a message for the user.
    """
    profile = profile or Profile()
    types = get_type_hints(Profile)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} is not NAME=VALUE, such as list_lag_seconds=2")
        name, _, key = name.partition(".")
        name = name.replace("-", "_")
        if name not in types:
            raise ValueError(_unknown(name, types))
        if get_origin(types[name]) is Mapping:
            if not key:
                raise ValueError(f"{name} has entries: {name}.KEY=VALUE")
            entries = {k: v for k, v in getattr(profile, name).items() if k != key}
            value: Any = entries if text == "none" else {**entries, key: _entry(name, key, text)}
        else:
            value = _value(name, types[name], text)
        profile = replace(profile, **{name: value})
    return profile


def describe() -> str:
    """Return one line for each switch: name, default, description and choices."""
    types = get_type_hints(Profile)
    rows = [(field.name, _default(field), _meaning(field, types[field.name])) for field in fields(Profile)]
    name_width = max(len(name) for name, _, _ in rows)
    default_width = max(len(default) for _, default, _ in rows)
    return "\n".join(
        f"{name:<{name_width}}  {default:<{default_width}}  {text}" for name, default, text in rows
    )


def _value(name: str, kind: Any, text: str) -> Any:
    if get_origin(kind) is Literal:
        for choice in get_args(kind):
            if text == str(choice):
                return choice
        raise ValueError(f"{name}: {text!r} is none of {', '.join(map(str, get_args(kind)))}")
    if kind is bool:
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise ValueError(f"{name}: {text!r} is neither true nor false")
    if kind is int or kind is float:
        return _number(name, kind, text)
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if text == "none":
        return "" if kind is str else None
    return text


def _entry(name: str, key: str, text: str) -> Any:
    if key.endswith("List"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return _number(f"{name}.{key}", int, text)


def _number(name: str, kind: type[int] | type[float], text: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is not a number") from None
    if not math.isfinite(number) or (number < 0 and name not in ("total_offset", "balance")):
        raise ValueError(f"{name}: {text} is out of range")
    return number


def _unknown(name: str, types: Mapping[str, Any]) -> str:
    import difflib  # slow to import, and only for an error

    close = difflib.get_close_matches(name, types, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown switch {name!r}{hint} There are: {', '.join(types)}"


def _default(field: Field[Any]) -> str:
    default = getattr(Profile(), field.name)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, Mapping) and default:
        return f"{len(default)} set"
    return str(default) if default or default == 0 else "none"


def _meaning(field: Field[Any], kind: Any) -> str:
    meaning = str(field.metadata["meaning"])
    return f"{meaning} ({' | '.join(map(str, get_args(kind)))})" if get_origin(kind) is Literal else meaning
