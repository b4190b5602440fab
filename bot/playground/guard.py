"""Loopback only: who may talk to the playground from a browser.

The Host check defeats DNS rebinding; Origin and Sec-Fetch-Site keep other sites' pages from acting.
"""

from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        # Text becomes markup in one place alone, which holds this policy: the Markdown that the server rendered.
        "require-trusted-types-for 'script'; trusted-types markdown"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def require_loopback(host: str) -> None:
    """Raises ValueError for an address that other machines could reach."""
    if host != "localhost" and not ip_address(host).is_loopback:
        raise ValueError(f"The playground listens on loopback only; host={host!r} is not a loopback address.")


def guard(port: int) -> Middleware:
    """A middleware that refuses foreign hosts and origins with 403 and marks every answer."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    origins = {f"http://{host}" for host in hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.headers.get("Host") not in hosts:
            return _refused("this host name; use 127.0.0.1 or localhost")
        if (origin is not None and origin not in origins) or site not in {"none", "same-origin"}:
            return _refused("pages of other origins")
        return await handler(request)

    return check


async def mark(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: the security headers, on every answer."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-cache")


def _refused(what: str) -> web.Response:
    return web.Response(status=403, text=f"The playground does not answer to {what}.\n")
