"""The yardstick over HTTP: a bare Starlette application that makes one SQL call a request and nothing else.

It runs on the server settings of ``aureum.processes.child``, with as many connections as one of its processes reads
with. Its table has the columns and indexes of the lead list. It knows its tenants beforehand, in a dict, and checks
nothing.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import uvicorn
import uvloop
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

TENANTS = "AUREUM_BENCH_TENANTS"
"""A variable with JSON: hosts and keys, each with its tenant's id."""

TABLES = """
CREATE TABLE leads (
    tenant_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    status text NOT NULL DEFAULT 'new',
    source text NOT NULL DEFAULT 'website',
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    phone text,
    subject text NOT NULL,
    message text NOT NULL,
    assigned_to uuid,
    source_domain text,
    source_page text,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, lead_id)
);
CREATE INDEX leads_number ON leads (tenant_id, number);
CREATE INDEX leads_status ON leads (tenant_id, status, lead_id);
"""

COUNTERS = """
CREATE TABLE lead_counts (
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    leads bigint NOT NULL,
    PRIMARY KEY (tenant_id, status)
)
"""
"""For an application that keeps counts as well; the one here counts when it is asked."""

INSERT = """
INSERT INTO leads (tenant_id, lead_id, status, first_name, last_name, email, phone, subject, message, source_domain,
                   source_page, utm_source, utm_medium, utm_campaign)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number
"""

LIST = """
SELECT json_agg(l)::text FROM (
    SELECT lead_id AS id, first_name || ' ' || last_name AS name, first_name AS "firstName", last_name AS "lastName",
           email, phone, source, status, subject, message, assigned_to AS "assignedToId", source_page AS "sourcePage",
           utm_source, utm_medium, utm_campaign, created_at AS "createdAt", updated_at AS "updatedAt"
      FROM leads WHERE tenant_id = %s ORDER BY lead_id DESC LIMIT %s
) l
"""

COUNT = "SELECT status, count(*) FROM leads WHERE tenant_id = %s GROUP BY status"

Pool = AsyncConnectionPool[AsyncConnection[Any]]
Application = Callable[[Pool, dict[str, str]], Starlette]


def application(pool: Pool, tenants: dict[str, str]) -> Starlette:
    """The routes that are measured."""
    known = {name: UUID(tenant_id) for name, tenant_id in tenants.items()}

    async def rows(statement: str, parameters: list[Any]) -> list[Any]:
        async with pool.connection() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall()

    async def post_contact(request: Request) -> Response:
        form = await request.json()
        host = request.headers["host"]
        fields = [form[name] for name in ("firstName", "lastName", "email", "phone", "subject", "message")]
        origin = [form[name] for name in ("source_page", "utm_source", "utm_medium", "utm_campaign")]
        ((number,),) = await rows(INSERT, [known[host], uuid7(), "new", *fields, host, *origin])
        return JSONResponse({"success": True, "message": "Thank you for your message!", "lead_id": number})

    async def get_leads(request: Request) -> Response:
        tenant_id = known[request.headers["authorization"]]
        ((leads,),) = await rows(LIST, [tenant_id, int(request.query_params["limit"])])
        return Response(leads, media_type="application/json")

    async def get_lead_count(request: Request) -> Response:
        return JSONResponse(dict(await rows(COUNT, [known[request.headers["host"]]])))

    async def get_readyz(request: Request) -> Response:
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/api/contact", post_contact, methods=["POST"]),
            Route("/api/leads/count", get_lead_count, methods=["GET"]),
            Route("/api/leads", get_leads, methods=["GET"]),
            Route("/readyz", get_readyz, methods=["GET"]),
        ]
    )


async def serve(
    application: Application, url: str, tenants: dict[str, str], pool_size: int, listener: socket.socket
) -> None:
    """Answer until SIGTERM."""
    pool: Pool = AsyncConnectionPool(url, kwargs={"autocommit": True}, min_size=1, max_size=pool_size, open=False)
    async with pool:
        config = uvicorn.Config(
            application(pool, tenants),
            http="httptools",
            loop="uvloop",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
        )
        await uvicorn.Server(config).serve(sockets=[listener])


def main(application: Application) -> None:
    """Serve on the socket and the database that the command line names."""
    url, pool_size, descriptor = sys.argv[1:]
    listener = socket.socket(fileno=int(descriptor))
    uvloop.run(serve(application, url, json.loads(os.environ[TENANTS]), int(pool_size), listener))


if __name__ == "__main__":
    main(application)
