"""The balance of an account, and what an overdue account loses."""

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.api import Refusal
from reconciler.simulator.profile import Profile
from reconciler.simulator.resources.network_storages import NetworkStorages

# Reason of a refusal for lack of money to its status (docs error-code).
_STATUS = {"BALANCE_NOT_ENOUGH": 400, "BILLING_BALANCE_NOT_ENOUGH": 400, "NOT_ENOUGH_BALANCE": 403}


@dataclass(slots=True, kw_only=True)
class Wallet:
    """The money of an account. `overdue_since` is in epoch seconds, None if the account is not overdue."""

    overdue_since: float | None = None

    def balance(self, profile: Profile) -> dict[str, str]:
        """Return the answer of the balance, in 1/10000 dollars (docs billing)."""
        cash = min(profile.balance, 0) if profile.overdue else profile.balance
        return {
            "availableBalance": str(cash + profile.credit_limit),
            "cashBalance": str(cash),
            "creditLimit": str(profile.credit_limit),
            "outstandingInvoices": "0",
        }

    def require_credit(self, profile: Profile) -> None:
        """Raise Refusal if the account is overdue."""
        if profile.is_overdue:
            status = _STATUS[profile.overdue_reason]
            raise Refusal(profile.overdue_reason, "balance not enough", status=status)

    def settle(self, storages: NetworkStorages, now: float, profile: Profile) -> bool:
        """Release the storages of a long overdue account. Return whether anything changed.

        An overdue account has no workers, so that nothing runs in it.
        """
        before = self.overdue_since
        if not profile.is_overdue:
            self.overdue_since = None
            return before is not None
        if self.overdue_since is None:
            self.overdue_since = now
        elif storages.items and now >= self.overdue_since + profile.release_seconds:
            storages.load([], {})
            return True
        return before is None
