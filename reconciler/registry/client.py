"""The digest of a tag, by the distribution API of the Open Container Initiative, which all registries have.

A request is a HEAD of the manifest; a 401 is answered with a token or a credential, once. No redirect is
followed, no request is repeated, and no cookie is kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias
from urllib.parse import SplitResult, quote, urlencode

from reconciler.kinds.image_reference import DEFAULT_TAG, DOCKER_HUB, ImageReference, is_digest
from reconciler.model.durations import CONNECT_TIMEOUT
from reconciler.model.errors import InvalidConfig
from reconciler.model.request import is_header_value
from reconciler.novita.http.auth import host_header
from reconciler.novita.http.limits import NotSent, UnusableResponse
from reconciler.novita.http.network import connections
from reconciler.novita.http.proxies import find_proxy
from reconciler.novita.http.transport import Connection, Message, Response
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.registry.challenge import NoSuchImage, NotChecked, address_of, parse_challenge, token_server
from reconciler.registry.credentials import Credentials

Answers: TypeAlias = Mapping[ImageReference, str | NotChecked]
"""The digest of the tag of each image, or why it is not known."""

MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""The index of an image for several platforms first: its digest is the one to pin."""

MAX_MANIFEST: Final = 4 << 20
"""Bytes; registries accept no larger manifests."""

MAX_TOKEN: Final = 1 << 16
"""Bytes of the answer of a token server."""

PARALLELISM: Final = 8
"""Images that are asked for at a time."""

_HUB_HOST: Final = f"registry-1.{DOCKER_HUB}"


def digests_of(images: Iterable[ImageReference], credentials: Credentials, seconds: float) -> Answers:
    """Ask for the digest that each tag has now. Take at most `seconds` for all of them."""
    deadline = time.monotonic() + seconds
    with DaemonThreadPool(PARALLELISM) as pool:
        asked = {image: pool.submit(_answer, image, credentials, deadline) for image in dict.fromkeys(images)}
        answers: dict[ImageReference, str | NotChecked] = {}
        for image, pending in asked.items():
            try:
                answers[image] = pending.result(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                answers[image] = NotChecked(f"no answer within {seconds:g} s")
    return answers


def _answer(image: ImageReference, credentials: Credentials, deadline: float) -> str | NotChecked:
    try:
        with _Question(image, credentials, deadline) as question:
            return question.digest()
    except NotChecked as error:
        return error
    except InvalidConfig as error:
        return NotChecked(error.problems[0].summary)
    except (NotSent, UnusableResponse, OSError):
        return NotChecked("the registry cannot be reached")


class _Question:
    """The requests about one image."""

    def __init__(self, image: ImageReference, credentials: Credentials, deadline: float) -> None:
        self._image = image
        self._credentials = credentials
        self._deadline = deadline
        self._address = address_of(_HUB_HOST if image.registry == DOCKER_HUB else image.registry)
        self._target = f"/v2/{image.repository}/manifests/{image.tag or DEFAULT_TAG}"
        self._connection = self._connect(self._address)

    def __enter__(self) -> _Question:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def digest(self) -> str:
        """Return the digest of the tag. Raise NotChecked."""
        response, authorization = self._manifest("HEAD", ""), ""
        if response.status == 401:
            authorization = self._authorization(response.headers.get("www-authenticate", ""))
            response = self._manifest("HEAD", authorization)
        _require_success(response)
        digest = response.headers.get("docker-content-digest", "")
        return digest if is_digest(digest) else self._computed(authorization)

    def _computed(self, authorization: str) -> str:
        """Return the digest of the manifest itself, for a registry whose HEAD does not tell it."""
        response = self._manifest("GET", authorization)
        _require_success(response)
        if not response.body or len(response.body) > MAX_MANIFEST:
            raise NotChecked("the registry does not tell the digest")
        return f"sha256:{hashlib.sha256(response.body).hexdigest()}"

    def _manifest(self, method: str, authorization: str) -> Response:
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        if authorization:
            headers["Authorization"] = authorization
        return self._send(self._connection, self._address, method, self._target, headers)

    def _authorization(self, header: str) -> str:
        """Return the header that a challenge demands. Raise NotChecked."""
        challenge, credential = parse_challenge(header), self._credentials.of(self._image)
        if credential is None and self._credentials.is_withheld(self._image):
            raise NotChecked("the declared credential is sent only to hosts in RECONCILER_TRUSTED_HOSTS")
        if challenge.scheme == "basic":
            if credential is None:
                raise NotChecked("the registry demands a login, and there is no credential for it")
            return credential.header
        address = token_server(challenge.realm, self._address)
        # The scope is ours, so that a registry cannot have a token for anything else made.
        query = {"service": challenge.service, "scope": f"repository:{self._image.repository}:pull"}
        target = f"{quote(address.path or '/', safe='/%')}?{_with_query(address.query, query)}"
        headers = {"Authorization": credential.header} if credential else {}
        connection = self._connect(address)
        try:
            response = self._send(connection, address, "GET", target, headers)
        finally:
            connection.close()
        if response.status in (401, 403):
            what = (
                "refuses the credential for it" if credential else "demands a credential, and there is none"
            )
            raise NotChecked(f"the registry {what}")
        _require_success(response)
        return f"Bearer {_token(response.body)}"

    def _connect(self, address: SplitResult) -> Connection:
        proxy = find_proxy(address.hostname or "", address.port) if address.scheme == "https" else None
        return connections(address, proxy, min(CONNECT_TIMEOUT, self._seconds_left()), is_own_process=True)()

    def _send(
        self,
        connection: Connection,
        address: SplitResult,
        method: str,
        target: str,
        headers: Mapping[str, str],
    ) -> Response:
        common = {
            "Host": host_header(address),
            "User-Agent": "novita-reconciler",
            "Accept-Encoding": "identity",
        }
        message = Message(method=method, target=target, headers={**common, **headers})
        return connection.exchange(message, self._seconds_left())

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise NotChecked("no answer in time")
        return left


def _with_query(existing: str, added: Mapping[str, str]) -> str:
    own = urlencode({name: value for name, value in added.items() if value})
    return f"{quote(existing, safe='=&%+')}&{own}" if existing else own


def _require_success(response: Response) -> None:
    match response.status:
        case 200:
            return
        case 404:
            raise NoSuchImage("the registry has no such image")
        case 401 | 403:
            raise NotChecked("the registry does not allow it")
        case 429:
            pause = response.headers.get("retry-after", "")
            when = f" for {int(pause)} s" if pause.isascii() and pause.isdecimal() and len(pause) < 7 else ""
            raise NotChecked(f"the registry asks to wait{when}")
        case _:
            raise NotChecked(f"the registry answered {response.status}")


def _token(body: bytes) -> str:
    """Return the token of the answer of a token server. Raise NotChecked."""
    try:
        answer = json.loads(body) if len(body) <= MAX_TOKEN else None
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict):
        for name in ("token", "access_token"):
            token = answer.get(name)
            if isinstance(token, str) and token and is_header_value(token):
                return token
    raise NotChecked("the token server of the registry gave no token")
