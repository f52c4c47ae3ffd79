"""The yardstick's resources: one SQL call a request and nothing else, on tables with the columns of the wire."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from bench.bare import Pool, main


@dataclass(frozen=True)
class Resource:
    """A kind of resource: its table's columns as they are called on the wire, and what is sent to create one."""

    name: str
    columns: dict[str, str]
    example: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/api/{self.name}"

    @property
    def table(self) -> str:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())
        return (
            f"CREATE TABLE {self.name} (tenant_id uuid NOT NULL, id uuid NOT NULL, {columns}, "
            '"createdAt" timestamptz NOT NULL DEFAULT now(), "updatedAt" timestamptz NOT NULL DEFAULT now(), '
            "PRIMARY KEY (tenant_id, id))"
        )

    @property
    def shown(self) -> str:
        names = ("id", *self.columns, "createdAt", "updatedAt")
        return ", ".join(f'"{name}"' for name in names)

    @property
    def insert(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.example)
        places = ", ".join(["%s"] * len(self.example))
        return (
            f"WITH made AS (INSERT INTO {self.name} (tenant_id, id, {names}) VALUES (%s, %s, {places}) "
            f"RETURNING {self.shown}) SELECT row_to_json(made)::text FROM made"
        )

    @property
    def list(self) -> str:
        return (
            f"SELECT json_agg(l)::text FROM (SELECT {self.shown} FROM {self.name} "
            "WHERE tenant_id = %s ORDER BY id DESC LIMIT %s) l"
        )


RESOURCES = (
    Resource(
        "properties",
        {
            "title": "text NOT NULL",
            "slug": "text",
            "address": "text NOT NULL",
            "city": "text NOT NULL",
            "state": "text NOT NULL",
            "zip": "text",
            "price": "numeric",
            "status": "text DEFAULT 'ACTIVE'",
            "propertyType": "text",
            "bedrooms": "numeric",
            "bathrooms": "numeric",
            "sqft": "numeric",
            "isFeatured": "boolean DEFAULT false",
            "description": "text",
            "mls": "text",
            "mlsId": "text",
            "timeZone": "text",
            "standardStatus": "text DEFAULT 'Active'",
        },
        {
            "title": "Modern Villa in Beverly Hills",
            "address": "123 Palm Dr",
            "city": "Beverly Hills",
            "state": "CA",
            "price": 4500000,
            "bedrooms": 5,
            "bathrooms": 4,
            "sqft": 4200,
            "isFeatured": True,
        },
    ),
    Resource(
        "contacts",
        {
            "firstName": "text NOT NULL",
            "lastName": "text NOT NULL",
            "email": "text",
            "phone": "text",
            "phoneE164": "text",
            "leadId": "uuid",
            "type": "text DEFAULT 'BUYER'",
            "tags": "text[] DEFAULT '{}'",
            "score": "integer DEFAULT 0",
        },
        {
            "firstName": "John",
            "lastName": "Smith",
            "email": "john@example.com",
            "phone": "+1-555-0100",
            "type": "BUYER",
            "tags": ["vip", "beverly-hills"],
        },
    ),
    Resource(
        "leads",
        {
            "name": "text NOT NULL",
            "firstName": "text",
            "lastName": "text",
            "email": "text",
            "phone": "text",
            "assignedToId": "uuid",
            "contactId": "uuid",
            "sourcePage": "text",
            "utm_source": "text",
            "utm_medium": "text",
            "utm_campaign": "text",
            "source": "text DEFAULT 'api'",
            "status": "text DEFAULT 'new'",
            "subject": "text",
            "message": "text",
        },
        {
            "name": "Jane Doe",
            "email": "jane@example.com",
            "phone": "+1-555-0200",
            "source": "website",
            "message": "Interested in the Beverly Hills listing",
        },
    ),
    Resource(
        "tasks",
        {
            "title": "text NOT NULL",
            "type": "text DEFAULT 'other'",
            "priority": "text DEFAULT 'MEDIUM'",
            "status": "text DEFAULT 'pending'",
            "dueDate": "timestamptz",
            "description": "text",
            "assignedToId": "uuid",
            "leadId": "uuid",
            "contactId": "uuid",
            "propertyId": "uuid",
        },
        {
            "title": "Follow up with John Smith",
            "type": "call",
            "priority": "HIGH",
            "dueDate": "2025-01-20T10:00:00.000Z",
        },
    ),
    Resource(
        "showings",
        {
            "listingId": "text",
            "name": "text NOT NULL",
            "email": "text",
            "phone": "text",
            "preferredDate": "text",
            "preferredTime": "text",
            "propertyId": "uuid",
            "startsAt": "timestamptz",
            "timeZone": "text",
            "assignedToId": "uuid",
            "status": "text DEFAULT 'pending'",
            "message": "text",
        },
        {
            "listingId": "202412345",
            "name": "Jane Doe",
            "email": "jane@example.com",
            "phone": "208-555-0456",
            "preferredDate": "2024-12-30",
            "preferredTime": "10:00 AM",
            "message": "I'm interested in seeing this property.",
        },
    ),
)


def application(pool: Pool, tenants: dict[str, str]) -> Starlette:
    """A list and a creation for each; *tenants* are known by what Authorization says."""
    known = {name: UUID(tenant_id) for name, tenant_id in tenants.items()}

    async def row(statement: str, parameters: list[Any]) -> Any:
        async with pool.connection() as connection:
            cursor = await connection.execute(statement, parameters)
            ((value,),) = await cursor.fetchall()
            return value

    def routes(resource: Resource) -> list[Route]:
        insert, select, names = resource.insert, resource.list, list(resource.example)

        async def create(request: Request) -> Response:
            sent = await request.json()
            tenant_id = known[request.headers["authorization"]]
            doc = await row(insert, [tenant_id, uuid7(), *(sent[name] for name in names)])
            return Response(doc, 201, media_type="application/json")

        async def show(request: Request) -> Response:
            tenant_id = known[request.headers["authorization"]]
            docs = await row(select, [tenant_id, int(request.query_params["limit"])])
            return Response(docs, media_type="application/json")

        return [
            Route(resource.path, show, methods=["GET"]),
            Route(resource.path, create, methods=["POST"]),
        ]

    async def ready(request: Request) -> Response:
        return Response("{}", media_type="application/json")

    return Starlette(routes=[*(route for resource in RESOURCES for route in routes(resource)), Route("/readyz", ready)])


if __name__ == "__main__":
    main(application)
