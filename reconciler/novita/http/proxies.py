"""What the environment says of the way to the account: a proxy, certificates, a log of TLS keys.

Read here, and only as far as this one host is concerned: httpx reads all of it, and fails on what it cannot
read without saying which variable that is.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error, normalized_host
from reconciler.novita.http.auth import invalid

if TYPE_CHECKING:
    import ssl

    import httpx

_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_ESCAPES: Final = "in a user name or password, write %40 for @, %2F for /, %23 for #, %3A for :"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy and the variable that names it. `password` is "" where there is none."""

    url: str
    variable: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy(variable={self.variable!r})"

    def proxy(self, trust: ssl.SSLContext) -> httpx.Proxy:
        """For httpx, which trusts for a proxy what it trusts for the account. Raises InvalidConfig."""
        import httpx

        scheme = urlsplit(self.url).scheme
        if scheme.startswith("socks") and find_spec("socksio") is None:
            raise self.unusable("a SOCKS proxy needs the package socksio", "pip install 'httpx[socks]'")
        try:
            return httpx.Proxy(self.url, ssl_context=trust if scheme == "https" else None)
        except (httpx.InvalidURL, ValueError):
            raise self.unusable("it is not the address of a proxy", _ESCAPES) from None

    def unusable(self, what: str, hint: str) -> InvalidConfig:
        """The error that names the variable; it never quotes it, for it may hold a password."""
        return _bad_variable(self.variable, what, hint)


def find_proxy(host: str, port: int | None) -> Proxy | None:
    """The proxy for https to a host, None where there is none. Raises InvalidConfig for an unusable one."""
    from urllib.request import getproxies

    known = getproxies()
    text = known.get("https") or known.get("all")
    if not text or is_exempt(host, port or 443, known.get("no", "")):
        return None
    variable = next(
        (name for name in _VARIABLES if os.environ.get(name) == text), "the system's proxy setting"
    )
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    found = Proxy(url=url, variable=variable)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise found.unusable("it is not a URL", "write http://HOST:PORT") from None
    try:
        is_sound = parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or "@" in parts.path + parts.query + parts.fragment or not url.isprintable():
        raise found.unusable("its port is not a number from 1 to 65535", _ESCAPES)
    if parts.scheme not in _SCHEMES:
        raise found.unusable(f"a proxy is one of {', '.join(_SCHEMES)}", "write http://HOST:PORT")
    if wrong := host_error(parts.hostname or ""):
        raise found.unusable(f"its host {wrong}", "write http://HOST:PORT")
    return Proxy(url=url, variable=variable, password=unquote(parts.password or ""))


def is_exempt(host: str, port: int, exempt: str) -> bool:
    """Whether NO_PROXY names the host: by itself, its domain, its network, with its port, or all by `*`."""
    return any(_names(entry, normalized_host(host), port) for entry in re.split(r"[\s,]+", exempt) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    named, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit() and (":" not in named or named.endswith("]")):
        if int(digits) != port:
            return False
        entry = named
    name = normalized_host(entry).removeprefix("*").lstrip(".")
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        return bool(name) and (host == name or host.endswith(f".{name}"))


def trust() -> ssl.SSLContext:
    """What TLS trusts: SSL_CERT_FILE, else SSL_CERT_DIR, else certifi. Raises InvalidConfig, naming one."""
    import ssl

    import httpx

    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not Path(folder).is_dir():
        raise _bad_variable(
            "SSL_CERT_DIR", "it is not a folder", "name a folder of certificates, or unset it"
        )
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        file = os.environ.get("SSL_CERT_FILE")
        try:
            if file:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except (OSError, ValueError):
            hint = "name a file of certificates in PEM form"
            raise _bad_variable("SSL_CERT_FILE", "it is no file of certificates", hint) from error
        if os.environ.get("SSLKEYLOGFILE"):
            hint = "name a file that can be written"
            raise _bad_variable("SSLKEYLOGFILE", "that file cannot be written", hint) from error
        raise invalid(
            "invalid-environment",
            f"the certificates of this machine cannot be read ({type(error).__name__})",
            "name a file of certificates in SSL_CERT_FILE",
        ) from error


def _bad_variable(name: str, what: str, hint: str) -> InvalidConfig:
    return invalid(
        "invalid-environment", f"{name} cannot be used: {what}", f"correct {name}, or unset it: {hint}"
    )
