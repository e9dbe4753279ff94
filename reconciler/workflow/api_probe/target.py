"""The endpoint that the writes of `doctor --probe-api` make, and the reasons not to make it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from reconciler.inventory.session import load
from reconciler.kinds.answer_reader import number
from reconciler.kinds.registry import ENDPOINT
from reconciler.model import durations
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.products import Product, Products
from reconciler.model.market.text import usd
from reconciler.model.plan import Create
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Desired, Inventory, Limits
from reconciler.model.values import Fields
from reconciler.novita.account import AccountReader
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import valid_settings
from reconciler.workflow.specs import list_specs

PREFIX: Final = "reconciler-probe-"
"""With which the names of these endpoints begin; eight random hexadecimal digits follow."""

IMAGE: Final = "traefik/whoami:v1.10"
"""A public image of a few MB that answers 200 to each request, on port 80."""

PORT: Final = 80

VARIABLES: Final = {f"PROBE_{letter}": str(place) for place, letter in enumerate("CAFBED")}
"""The env, in an order that no sorting gives."""

ROOTFS_GB: Final = 100
"""The disk, if neither the product nor the limits say how much costs nothing."""

OUT_OF_STOCK: Final = "none"
"""Novita's word for a product without a free GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The endpoint to make. gpu: name and ID of its product. per_hour: USD of one worker, None if unknown."""

    desired: Desired
    gpu: str
    per_hour: Decimal | None

    @property
    def name(self) -> str:
        return self.desired.name

    @property
    def most(self) -> Decimal | None:
        """Return USD for one worker during all steps and the delete; None if the price is not known."""
        seconds = Decimal(durations.API_PROBE_TIME + durations.API_PROBE_DELETE)
        return None if self.per_hour is None else self.per_hour * seconds / 3600


def choose_target(context: Context) -> Target:
    """Return the endpoint to make. Raise InvalidConfig if an earlier one is left, or if money, a product or a
    quota is missing.
    """
    require_none_left(load(context.store))
    with reader(replace(context, early=None), valid_settings(context, lenient=True)) as account:
        limits = account.optional.limits()
        target = _target(context, account, limits)
        _require_money(account, target)
    change = Create(name=target.name, reason="", desired=target.desired)
    problems = ENDPOINT.check_limits((change,), limits)
    if beyond := [problem for problem in problems if problem.severity is Severity.WARNING]:
        raise InvalidConfig(*(replace(problem, severity=Severity.ERROR) for problem in beyond))
    return target


def require_none_left(inventory: Inventory) -> None:
    """Raise InvalidConfig if the inventory has an endpoint of an earlier run, made or begun."""
    left = [name for name in (*inventory.records, *inventory.intents) if name.startswith(PREFIX)]
    if left:
        raise InvalidConfig(*map(left_over, dict.fromkeys(left)))


def left_over(name: str, why: str = "an earlier run was ended before it was deleted") -> Problem:
    """Return the problem of an endpoint that is still to be deleted, with the command for it."""
    return Problem(
        code="probe-left",
        summary=f"the endpoint `{name}` is left: {why}",
        hint=delete_command(name),
        exit_code=ExitCode.ERROR,
    )


def perhaps_left(name: str) -> Problem:
    """Return the problem of an endpoint whose create has no known outcome, with the command for it."""
    return Problem(
        code="probe-left",
        summary=f"the endpoint `{name}` may be left: it is not known whether it was created",
        hint=delete_command(name),
    )


def delete_command(name: str) -> str:
    """Return the commands that remove what a killed run has left."""
    commands = command_line("reconciler", "recover"), command_line("reconciler", "delete", Operand(name))
    return " && ".join(commands)


def _target(context: Context, account: AccountReader, limits: Limits | None) -> Target:
    from secrets import token_hex

    name = PREFIX + token_hex(4)
    product = _cheapest(account.optional.products(durations.BUDGET_TIMEOUT))
    if product is not None:
        price, gpus = product.price.per_hour, product.min_gpus or 1
        gpu = f"{product.gpu_name or product.name} ({product.id})"
        fields = _fields(name, product.id, next(iter(product.regions), ""), gpus, _disk(product, limits))
        per_hour = None if price is None else price * gpus
    else:
        spec = next((spec for spec in list_specs(context).specs if spec.is_usable), None)
        if spec is None:
            raise InvalidConfig(
                Problem(
                    code="no-product",
                    summary="no GPU product can be used: none is in stock, and specs.yaml has none",
                    hint="reconciler specs --available   shows what Novita offers",
                )
            )
        gpu, per_hour = f"{spec.gpu_type or spec.name} ({spec.product_id})", None
        gpus = number(spec.gpu) or 1
        fields = _fields(name, spec.product_id, spec.region, gpus, _disk(None, limits))
    config = (
        ("workerConfig", "freeTimeout"),
        ("workerConfig", "maxConcurrent"),
        ("workerConfig", "requestTimeout"),
    )
    desired = Desired(name=name, app_name=name, fields=fields, origin="imperative", defaulted=config)
    return Target(desired=ENDPOINT.fit_defaults(desired, limits, None), gpu=gpu, per_hour=per_hour)


def _cheapest(products: Products | None) -> Product | None:
    """Return the cheapest product in stock; one without a known price only if none has one."""
    in_stock = [
        product
        for product in products or ()
        if product.is_deployable is not False
        and product.available != 0
        and product.inventory_state != OUT_OF_STOCK
    ]

    def price(product: Product) -> Decimal:
        one = product.price.per_hour
        return Decimal("Infinity") if one is None else one * (product.min_gpus or 1)

    return min(in_stock, key=price, default=None)


def _disk(product: Product | None, limits: Limits | None) -> int:
    """Return the GB that cost nothing."""
    free = product.free_rootfs_gb if product else None
    return free or number((limits or {}).get("freeRootfsSize")) or ROOTFS_GB


def _fields(name: str, product_id: str, region: str, gpus: int, disk: int) -> Fields:
    return {
        "name": name,
        "workerConfig": {
            "minNum": 0,
            "maxNum": 1,
            "freeTimeout": 60,
            "maxConcurrent": 1,
            "gpuNum": gpus,
            "requestTimeout": 60,
        },
        "ports": [{"port": PORT}],
        "policy": {"type": "queue", "value": 60},
        "image": {"image": IMAGE},
        "products": [{"id": product_id}],
        "rootfsSize": disk,
        "volumeMounts": {},
        "clusterID": region,
        "envs": VARIABLES,
        "healthy": {"path": "/"},
    }


def _require_money(account: AccountReader, target: Target) -> None:
    """Raise InvalidConfig if the balance is known and too low."""
    balance = account.optional.balance(durations.BUDGET_TIMEOUT)
    if balance is not None and balance.available <= (target.most or 0):
        raise InvalidConfig(
            Problem(
                code="balance-too-low",
                summary=f"the balance of {usd(Fraction(balance.available))} is not enough for the probe",
                hint="top up in Novita Console (https://console.novita.ai), then run the command again",
            )
        )
