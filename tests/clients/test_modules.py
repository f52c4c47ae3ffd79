"""The panel's modules are small, and their types hold: they are JavaScript with types in comments, which TypeScript
checks. Nothing is compiled."""

from pathlib import Path

import pytest

from aureum.http.panel.assets import MODULES
from tests.clients.tools import Tools

pytestmark = pytest.mark.clients

FOLDER = Path(__file__).parents[2] / "aureum" / "http" / "panel" / "modules"


def test_the_types_of_the_modules_hold(tools: Tools) -> None:
    options = ("--allowJs", "--checkJs", "--noEmit", "--strict", "--target", "es2024", "--module", "esnext")
    libraries = ("--moduleResolution", "bundler", "--moduleDetection", "force", "--lib", "es2024,dom,dom.iterable")
    tools.run("tsc", *options, *libraries, *(FOLDER / name for name in MODULES), cwd=FOLDER)


def test_every_module_is_checked() -> None:
    assert {path.name for path in FOLDER.glob("*.js")} == set(MODULES)
    assert all((FOLDER / name).read_text().startswith("// @ts-check\n") for name in MODULES)
