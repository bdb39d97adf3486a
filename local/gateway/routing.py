"""Finds the route of a request, and handles CORS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.template import Route


class Routes:
    """The API's routes; if several match, the most literal one wins."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: route.path.count("{"))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route, and its path parameters. ``path`` is decoded: an escaped slash is treated like any other."""
        parts = path.split("/")
        for route in self._routes:
            wanted = route.path.split("/")
            if route.method not in (method, "ANY") or len(wanted) != len(parts):
                continue
            pairs = list(zip(wanted, parts, strict=True))
            if all(part if want.startswith("{") else want == part for want, part in pairs):
                return route, {want[1:-1]: part for want, part in pairs if want.startswith("{")}
        return None


class Cors:
    """``settings``: the template's CorsConfiguration, empty if there is none."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def __bool__(self) -> bool:
        return bool(self._settings)

    def headers(self, origin: str | None, *, preflight: bool = False) -> list[tuple[str, str]]:
        """The CORS headers for a browser at ``origin``; none if it is not allowed."""
        allowed = self._settings.get("AllowOrigins", [])
        if not origin or not ("*" in allowed or origin in allowed):
            return []
        headers = [("access-control-allow-origin", "*" if "*" in allowed else origin)]
        if "*" not in allowed:
            headers.append(("vary", "Origin"))
        if preflight:
            headers.append(("access-control-allow-methods", ",".join(self._settings.get("AllowMethods", []))))
            headers.append(("access-control-allow-headers", ",".join(self._settings.get("AllowHeaders", []))))
            headers.append(("access-control-max-age", str(self._settings.get("MaxAge", 0))))
        elif exposed := self._settings.get("ExposeHeaders"):
            headers.append(("access-control-expose-headers", ",".join(exposed)))
        return headers
