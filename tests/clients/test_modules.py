"""The modules of the panel and the portal are small, and their types hold: they are JavaScript with types in comments,
which TypeScript checks. Nothing is compiled."""

from pathlib import Path

import pytest

from aureum.http.panel.assets import MODULES
from aureum.http.portal.assets import MODULES as PORTAL
from tests.clients.tools import Tools

pytestmark = pytest.mark.clients

HTTP = Path(__file__).parents[2] / "aureum" / "http"
FOLDERS = {HTTP / "panel" / "modules": MODULES, HTTP / "portal" / "modules": PORTAL}

of_each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)


@of_each
def test_the_types_of_the_modules_hold(tools: Tools, folder: Path) -> None:
    options = ("--allowJs", "--checkJs", "--noEmit", "--strict", "--target", "es2024", "--module", "esnext")
    libraries = ("--moduleResolution", "bundler", "--moduleDetection", "force", "--lib", "es2024,dom,dom.iterable")
    tools.run("tsc", *options, *libraries, *(folder / name for name in FOLDERS[folder]), cwd=folder)


@of_each
def test_every_module_is_checked(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.js")} == set(FOLDERS[folder])
    assert all((folder / name).read_text().startswith("// @ts-check\n") for name in FOLDERS[folder])
