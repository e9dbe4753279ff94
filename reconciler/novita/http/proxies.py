"""The environment variables for proxies and certificates.

They are read here, and only those that matter for the host. httpx reads all of them, and its errors do not
name the variable.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error, normalized_host
from reconciler.model.lazy_dataclass import dataclass
from reconciler.novita.http.auth import invalid_config

if TYPE_CHECKING:
    import ssl

    import httpx

_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")

_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_ESCAPES: Final = "in a user name or password, write %40 for @, %2F for /, %23 for #, %3A for :"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy and the variable that names it. `password` is "" if there is none."""

    url: str
    variable: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy(variable={self.variable!r})"

    def to_httpx(self, context: ssl.SSLContext) -> httpx.Proxy:
        """Return the proxy for httpx, with the certificates of `context`. Raise InvalidConfig."""
        import httpx

        scheme = urlsplit(self.url).scheme
        if scheme.startswith("socks") and not _is_installed("socksio"):
            raise self.unusable("a SOCKS proxy needs the package socksio", "pip install 'httpx[socks]'")
        try:
            return httpx.Proxy(self.url, ssl_context=context if scheme == "https" else None)
        except (httpx.InvalidURL, ValueError):
            raise self.unusable("it is not the address of a proxy", _ESCAPES) from None

    def unusable(self, what: str, hint: str) -> InvalidConfig:
        """Return an error that names the variable. It never quotes the value, which may hold a password."""
        return _bad_variable(self.variable, what, hint)


def _is_installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def find_proxy(host: str, port: int | None) -> Proxy | None:
    """Return the proxy for https to a host, or None. Raise InvalidConfig for an unusable one."""
    from urllib.request import getproxies

    known = getproxies()
    text = known.get("https") or known.get("all")
    if not text or is_exempt(host, port or 443, known.get("no", "")):
        return None
    variable = next(
        (name for name in _VARIABLES if os.environ.get(name) == text), "the system's proxy setting"
    )
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    proxy = Proxy(url=url, variable=variable)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise proxy.unusable("it is not a URL", "write http://HOST:PORT") from None
    try:
        is_valid_port = parts.port != 0
    except ValueError:
        is_valid_port = False
    if not is_valid_port or "@" in parts.path + parts.query + parts.fragment or not url.isprintable():
        raise proxy.unusable("its port is not a number from 1 to 65535", _ESCAPES)
    if parts.scheme not in _SCHEMES:
        raise proxy.unusable(f"a proxy is one of {', '.join(_SCHEMES)}", "write http://HOST:PORT")
    if wrong := host_error(parts.hostname or ""):
        raise proxy.unusable(f"its host {wrong}", "write http://HOST:PORT")
    return Proxy(url=url, variable=variable, password=unquote(parts.password or ""))


def is_exempt(host: str, port: int, exempt: str) -> bool:
    """Return whether NO_PROXY names the host: itself, its domain or network, with its port, or `*`."""
    return any(_matches(entry, normalized_host(host), port) for entry in re.split(r"[\s,]+", exempt) if entry)


def _matches(entry: str, host: str, port: int) -> bool:
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


def tls_context() -> ssl.SSLContext:
    """Return the TLS context of SSL_CERT_FILE, SSL_CERT_DIR or certifi. Raise InvalidConfig."""
    import ssl

    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not Path(folder).is_dir():
        raise _bad_variable(
            "SSL_CERT_DIR", "it is not a folder", "name a folder of certificates, or unset it"
        )
    try:
        context = _trusted_context(os.environ.get("SSL_CERT_FILE"), folder)
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
        raise invalid_config(
            "invalid-environment",
            f"the certificates of this machine cannot be read ({type(error).__name__})",
            "name a file of certificates in SSL_CERT_FILE",
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusted_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return a TLS context with the root certificates that httpx would take."""
    import ssl

    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _bad_variable(name: str, what: str, hint: str) -> InvalidConfig:
    return invalid_config(
        "invalid-environment", f"{name} cannot be used: {what}", f"correct {name}, or unset it: {hint}"
    )
