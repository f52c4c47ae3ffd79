"""Every route on one page. Those that are asked most stand first."""

from starlette.routing import Route, Router

from aureum.app import Aureum
from aureum.http.contact import post_contact
from aureum.http.cors import preflight
from aureum.http.edge import Edge
from aureum.http.health import get_healthz, get_metrics, get_readyz
from aureum.http.lead_count import get_lead_count
from aureum.http.lead_list import get_leads
from aureum.http.leads import get_lead, get_lead_history, patch_lead, post_lead

ROUTES = (
    Route("/api/contact", post_contact, methods=["POST"]),
    Route("/api/leads/count", get_lead_count, methods=["GET"]),
    Route("/api/leads", get_leads, methods=["GET"]),
    Route("/api/leads", post_lead, methods=["POST"]),
    Route("/api/leads/{id}", get_lead, methods=["GET"]),
    Route("/api/leads/{id}", patch_lead, methods=["PATCH"]),
    Route("/api/leads/{id}/history", get_lead_history, methods=["GET"]),
    Route("/api/contact", preflight, methods=["OPTIONS"]),
    Route("/api/leads/count", preflight, methods=["OPTIONS"]),
    Route("/healthz", get_healthz, methods=["GET"]),
    Route("/readyz", get_readyz, methods=["GET"]),
    Route("/metrics", get_metrics, methods=["GET"]),
)


def make_app(aureum: Aureum) -> Edge:
    """The ASGI application on an opened ``Aureum``."""
    return Edge(Router(routes=ROUTES, redirect_slashes=False), aureum)
