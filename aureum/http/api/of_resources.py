"""What the modules of resources declare, in the order of ``aureum.resources``."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from aureum.http.contract.endpoint import Endpoint
from aureum.resources import RESOURCES, Resource


def modules(resource: Resource) -> Iterator[ModuleType]:
    """Those of its endpoints."""
    return map(import_module, resource.endpoints)


def endpoints() -> Iterator[Endpoint]:
    """The endpoints of all resources."""
    for resource in RESOURCES:
        for module in modules(resource):
            declared: tuple[Endpoint, ...] = module.ENDPOINTS
            yield from declared


def shown(resource: Resource) -> Any:
    """The model of the resource as webhooks show it: ``SHOWN`` of one of its modules."""
    return next(module.SHOWN for module in modules(resource) if hasattr(module, "SHOWN"))
