"""The failures of an object store as problems for the user: what failed, where, and what to do.

The texts of the library contain URLs and answers of the server, in which some servers repeat the name of the
access key. So nothing of them is shown but the status and the error code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

DOCTOR: Final = "reconciler doctor"

CAN_LOCK: Final = (
    "Use a store with conditional writes, such as Amazon S3, Google Cloud Storage, Azure Blob Storage, "
    "Cloudflare R2 or MinIO, or a newer release of this server"
)
"""The hint for a server that cannot lock."""

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_REQUEST: Final = re.compile(r"Error performing (\w+) (\S+) in")
_METADATA: Final = re.compile(r"/(latest/(api/token|meta-data)|computeMetadata|metadata/identity)\b")
"""The paths with which a virtual machine asks its cloud for credentials, if no variable has them."""

_VARIABLES: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_CREATE: Final[dict[str, Callable[[str], str]]] = {
    "s3": lambda bucket: command_line("aws", "s3", "mb", f"s3://{bucket}"),
    "gs": lambda bucket: command_line("gcloud", "storage", "buckets", "create", f"gs://{bucket}"),
    "az": lambda bucket: command_line("az", "storage", "container", "create", "--name", bucket),
}
_ABOUT_OBJECT: Final = frozenset({"store-refused", "store-failed"})
"""Codes of failures that may concern one object only."""

_NO_BUCKET: Final = frozenset({"NoSuchBucket", "ContainerNotFound"})
_NO_OBJECT: Final = frozenset({"NoSuchKey", "BlobNotFound", "NoSuchVersion"})
_BAD_KEY: Final = frozenset(
    {
        "AuthenticationFailed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
_OTHER_REGION: Final = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The bucket that a request was about. scheme: `s3`, `gs` or `az`; server: its address, or ""."""

    label: str
    scheme: str
    bucket: str
    server: str

    @property
    def at(self) -> str:
        """The server for a message, if it is not the one of the provider."""
        return f" at {self.server}" if self.server else ""


def status_and_code(error: BaseException) -> tuple[int, str]:
    """Return the HTTP status (0 without an answer) and the error code of the server, or ""."""
    status, code = _STATUS.search(str(error)), _CODE.search(str(error))
    return int(status[1]) if status else 0, code[1] if code else ""


def is_absence(error: BaseException) -> bool:
    """Return whether the server says that the bucket has no such object.

    A 404 without such an answer comes from something else than an object store, or is about the bucket. It
    must not count as an inventory that does not exist yet.
    """
    _, code = status_and_code(error)
    return code in _NO_OBJECT


def problem_of(error: BaseException, place: Place, verb: str, key: str = "") -> Problem:
    """Return the problem for an error of the library, about a request to `read`, `write`, ... an object."""
    code, what, hint = _explain(error, place)
    return Problem(
        code=code,
        summary=f"Cannot {verb} {place.label}: {what}",
        detail=f"The request was about {place.label}/{key}." if key and code in _ABOUT_OBJECT else "",
        hint=hint,
    )


def configuration_problem(place: Place) -> Problem:
    """Return the problem of variables that the library refuses. Its own text would show their values."""
    return Problem(
        code="store-refused",
        summary=f"Cannot open {place.label}: the variables of the provider are not complete, or not valid",
        hint=f"Set {_VARIABLES[place.scheme]}{_PROFILE_HINT.get(place.scheme, '')}",
    )


def _explain(error: BaseException, place: Place) -> tuple[str, str, str]:
    text = str(error)
    status, code = status_and_code(error)
    answer = " ".join(filter(None, (f"status {status}" if status else "", code)))
    request = _REQUEST.search(text)
    variables = _VARIABLES[place.scheme]
    if request and _METADATA.search(request[2]):
        return (
            "store-refused",
            "there are no credentials",
            f"Set {variables}" + _PROFILE_HINT.get(place.scheme, ""),
        )
    if code in _NO_BUCKET:
        create = _CREATE[place.scheme](place.bucket)
        return (
            "store-not-found",
            f"there is no bucket {place.bucket}{place.at}",
            f"Create it with `{create}`, or correct the address",
        )
    if code in _OTHER_REGION or status == 301 or "redirect without LOCATION" in text:
        return (
            "store-refused",
            "the bucket is in another region than AWS_REGION says",
            f"Set AWS_REGION to the region of the bucket; `{_region_of(place.bucket)}` tells it",
        )
    if code == "RequestTimeTooSkewed":
        return (
            "store-refused",
            "the clock of this machine is wrong",
            "Set the clock, and run the command again",
        )
    if code in _BAD_KEY or status == 401:
        return (
            "store-refused",
            f"the server{place.at} refuses the credentials ({answer})",
            f"Check {variables}",
        )
    if status == 403:
        return (
            "store-refused",
            f"the credentials do not allow it ({answer})",
            f"Allow them to list the bucket {place.bucket}, and to read, write and delete objects in "
            f"{place.label}",
        )
    if status == 412:
        return "store-cannot-lock", f"the server{place.at} refuses a write whose condition holds", CAN_LOCK
    if status == 501:
        return "store-cannot-lock", f"the server{place.at} has no conditional writes ({answer})", CAN_LOCK
    if status == 507:
        return (
            "store-unavailable",
            f"the server{place.at} has no space left ({answer})",
            "Make room on the server",
        )
    if status in (500, 502, 503, 504, 429):
        return (
            "store-unavailable",
            f"the server{place.at} is not available ({answer})",
            "Run the command again in a minute",
        )
    if status:
        return (
            "store-failed",
            f"the server{place.at} answers with {answer}",
            f"Check the address and the server; `{DOCTOR}` shows more",
        )
    return _without_answer(text, place)


def _without_answer(text: str, place: Place) -> tuple[str, str, str]:
    """Explain a request that got no answer, from the kinds of errors that the library names."""
    server = place.server or "the server"
    check = f"Check the network and the address; `{DOCTOR}` tries again"
    if "InvalidCertificate" in text:
        trust = "If it belongs to your own authority, name the file of its certificates in SSL_CERT_FILE"
        return "store-unavailable", f"the certificate of {server} is not trusted", trust
    if "kind: Timeout" in text or "TimedOut" in text:
        return "store-unavailable", f"{server} did not answer in time", check
    if "dns error" in text:
        return "store-unavailable", f"the name of {server} cannot be resolved", check
    if "ConnectionRefused" in text:
        return "store-unavailable", f"{server} refuses the connection", check
    if "kind: Connect" in text:
        return "store-unavailable", f"no connection to {server}", check
    if "HTTP error" in text:
        return "store-unavailable", f"the connection to {server} was lost", check
    return "store-failed", "the answer of the server is not that of an object store", check


_PROFILE_HINT: Final = {
    "s3": "; for a profile of the AWS command line, run "
    '`eval "$(aws configure export-credentials --format env)"`'
}


def _region_of(bucket: str) -> str:
    return command_line("aws", "s3api", "get-bucket-location", "--bucket", bucket)
