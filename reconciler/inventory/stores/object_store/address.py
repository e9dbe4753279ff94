"""The address of an inventory in an object store, such as `s3://bucket/team/prod`, and its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from reconciler.model.errors import InventoryError
from reconciler.model.hosts import is_loopback, url_error
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

_BUCKET: Final = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{1,221}")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()=@+-]+(?:/[A-Za-z0-9!_.*'()=@+-]+)*")

_HTTP: Final = re.compile(r"^http://", re.IGNORECASE)
_DOCUMENTS: Final = frozenset({"GOOGLE_SERVICE_ACCOUNT_KEY"})
"""Variables whose value is a document of several lines."""

_ENDPOINTS: Final = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_ALLOW_HTTP: Final = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP", "az": "AZURE_ALLOW_HTTP"}

_VARIABLES: Final = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AWS_S3_EXPRESS",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SSE_KMS_KEY_ID",
        "AWS_SSE_BUCKET_KEY_ENABLED",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_DISABLE_BULK_DELETE",
    ),
    "gs": (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_BASE_URL",
        "GOOGLE_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_CLIENT_ID",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_STORAGE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_ENDPOINT",
        "AZURE_STORAGE_ENDPOINT",
        "AZURE_STORAGE_USE_EMULATOR",
        "AZURE_USE_AZURE_CLI",
    ),
}
"""The variables of each provider that are handed to the library. Unknown names would be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A bucket and the prefix of an inventory in it. scheme: `s3`, `gs` or `az`."""

    scheme: str
    bucket: str
    prefix: str

    @property
    def label(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    def beside(self, prefix: str) -> Address:
        """Return the address of another prefix of the same bucket."""
        return Address(scheme=self.scheme, bucket=self.bucket, prefix=prefix)

    def config(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the provider that are set. Raise InventoryError if one cannot be used.

        The library would end the process at a line break or an invalid URL in them.
        """
        config = {name: environ[name] for name in _VARIABLES[self.scheme] if environ.get(name)}
        for name, value in config.items():
            if not (value.isascii() and value.isprintable()) and name not in _DOCUMENTS:
                raise self._unusable(name, "contains a character that a request cannot have, as a line break")
            if name in _ENDPOINTS[self.scheme] and (error := url_error(_HTTP.sub("https://", value))):
                raise self._unusable(name, error[0])
        return config

    def server(self, environ: Mapping[str, str]) -> str:
        """Return the address of the server without a user, or "" for the one of the provider."""
        parts = _split(self._endpoint(environ))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""

    def allows_http(self, environ: Mapping[str, str]) -> bool:
        """Return whether the server may be reached without TLS. Raise InventoryError if it must not.

        Requests without TLS show the inventory to the network. The loopback interface is not a network.
        """
        endpoint = self._endpoint(environ)
        if not endpoint.lower().startswith("http://"):
            return False
        variable = _ALLOW_HTTP[self.scheme]
        if is_loopback(_split(endpoint).hostname or "") or environ.get(variable, "").lower() == "true":
            return True
        raise InventoryError(
            Problem(
                code="store-without-tls",
                summary=f"The server {self.server(environ)} of {self.label} would be reached without TLS",
                detail="Everybody on the way could read and change the inventory.",
                hint=f"Use https://; or set {variable}=true, if the network is trusted",
            )
        )

    def _unusable(self, name: str, why: str) -> InventoryError:
        return InventoryError(
            Problem(
                code="store-refused",
                summary=f"Cannot open {self.label}: {name} {why}",
                hint=f"Set {name} again, or remove it with `unset {name}`",
            )
        )

    def _endpoint(self, environ: Mapping[str, str]) -> str:
        return next((value for name in _ENDPOINTS[self.scheme] if (value := environ.get(name))), "")


def parse_address(text: str) -> Address:
    """Return the address of a text. Raise InventoryError if it is none; a text with a user is not shown."""
    parts = _split(text)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _invalid(f"The address of {parts.scheme}:// has more than a bucket and a prefix")
    prefix = parts.path.strip("/")
    if parts.scheme not in _VARIABLES or not _BUCKET.fullmatch(parts.netloc):
        raise _invalid(f"{text} does not name a bucket")
    if not prefix:
        raise _invalid(
            f"{text} names a bucket, and an inventory is a prefix in it", f"{text.rstrip('/')}/prod"
        )
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        raise _invalid(f"{text} does not name a prefix of letters, digits, `-`, `_`, `.` and `/`")
    return Address(scheme=parts.scheme, bucket=parts.netloc, prefix=prefix)


def _split(text: str) -> SplitResult:
    """Return the parts of a URL; none of them if it is no URL."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def _invalid(summary: str, example: str = "s3://BUCKET/prod") -> InventoryError:
    return InventoryError(
        Problem(
            code="store-address",
            summary=summary,
            hint=f"Write `--state {example}`; credentials are read from the variables of the provider",
        )
    )
