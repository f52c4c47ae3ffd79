"""What both HTTP servers of ours, that of requests and that of a worker's measurements, ask of uvicorn."""

from typing import Any, Final

COMMON: Final[dict[str, Any]] = {
    "ws": "none",
    "lifespan": "off",
    # The contract's rules for proxies are stricter: aureum.http.access.hosts has them.
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
    "log_config": None,
}
