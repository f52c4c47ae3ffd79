"""Linters find nothing in the OpenAPI document, and clients generated from it work with the running product."""

import json
import shutil
from pathlib import Path

import pytest

from tests.clients.tools import HERE, Tools
from tests.http.operator import Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.clients

WORKS = "The client works.\n"


def arguments(server: Server, tenant: Tenant) -> tuple[str, str, str]:
    return f"http://127.0.0.1:{server.port}", tenant.key, tenant.domain


def test_redocly_has_nothing_to_say(tools: Tools, document: Path, tmp_path: Path) -> None:
    shutil.copy(HERE / "redocly.yaml", tmp_path)
    said = tools.run("redocly", "lint", "--config=redocly.yaml", "--format=json", document, cwd=tmp_path)
    assert [(one["ruleId"], one["message"], one["location"]) for one in json.loads(said)["problems"]] == []


def test_spectral_has_nothing_to_say(tools: Tools, document: Path, tmp_path: Path) -> None:
    tools.run("spectral", "lint", "--fail-severity=hint", f"--ruleset={HERE / 'spectral.yaml'}", document, cwd=tmp_path)


def test_a_client_in_python(tools: Tools, document: Path, server: Server, tenant: Tenant, tmp_path: Path) -> None:
    made = tools.run(
        "openapi-python-client",
        *("generate", f"--path={document}", "--output-path=made", "--meta=none", "--fail-on-warning"),
        f"--config={HERE / 'python_client.yaml'}",
        cwd=tmp_path,
    )
    assert "WARNING" not in made, made
    shutil.copy(HERE / "round_trip.py", tmp_path)
    python = tools.folder / "python" / "bin" / "python"
    assert tools.run(python, "-W", "error", "round_trip.py", *arguments(server, tenant), cwd=tmp_path) == WORKS


def test_a_client_in_typescript(tools: Tools, document: Path, server: Server, tenant: Tenant, tmp_path: Path) -> None:
    for name in ("round_trip.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(tools.folder / "node_modules")
    tools.run("openapi-typescript", document, "--output=schema.d.ts", cwd=tmp_path)
    tools.run("tsc", "--project", ".", cwd=tmp_path)
    assert tools.run("node", "round_trip.js", *arguments(server, tenant), cwd=tmp_path) == WORKS


def test_what_is_wrong_does_not_compile(tools: Tools, document: Path, tmp_path: Path) -> None:
    """Which says that the types are more than decoration."""
    for name in ("tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(tools.folder / "node_modules")
    tools.run("openapi-typescript", document, "--output=schema.d.ts", cwd=tmp_path)
    wrong = (
        'await api.POST("/api/contacts", { body: { firstName: "Jane" } });',
        'await api.POST("/api/contacts", { body: { firstName: "Jane", lastName: "Doe", type: "FRIEND" } });',
        'await api.GET("/api/leads", { params: { query: { status: "open" } } });',
        'await api.GET("/api/lead");',
    )
    head = 'import createClient from "openapi-fetch";\nimport type { paths } from "./schema.js";\n'
    lines = "\n".join(f"// @ts-expect-error\n{line}" for line in wrong)
    (tmp_path / "wrong.ts").write_text(f"{head}const api = createClient<paths>();\n{lines}\n")
    tools.run("tsc", "--project", ".", cwd=tmp_path)


@pytest.mark.parametrize("public", [None, "https://crm.example.com"])
def test_a_postman_collection_has_a_base_url(tools: Tools, document: Path, tmp_path: Path, public: str | None) -> None:
    described = json.loads(document.read_bytes())
    if public is not None:
        described["servers"] = [{"url": public}]
        document.write_text(json.dumps(described))
    shutil.copy(HERE / "postman.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(tools.folder / "node_modules")

    collection = json.loads(tools.run("node", "postman.mjs", document, cwd=tmp_path))

    assert collection["name"] == "Aureum"
    base = public or "http://localhost:8000"
    asked = {(one["method"], one["url"].partition("?")[0]) for one in collection["requests"]}
    assert all(url.startswith(f"{base}/") for _, url in asked), asked
    assert {("POST", f"{base}/api/contact"), ("GET", f"{base}/api/leads")} <= asked
    operations = sum(len(methods) for methods in described["paths"].values())
    assert len(collection["requests"]) == operations
