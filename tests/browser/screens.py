"""A screenshot of every page of the panel, on a large screen and on a phone, with the data of the demo:
``python -m tests.browser.screens``. They stand in ``docs/screens``, and the page that shows every part beside them."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.combinations import SHOWN
from tests.browser.parts import write_parts_page
from tests.browser.visitor import DESKTOP, PHONE, chromium

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
AUREUM = (sys.executable, "-m", "aureum")
LARGEST = 60_000
QUALITIES = (70, 60, 50, 40, 30, 20)
SCREENS: Mapping[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}

ADMIN = "ada.admin@example.com"
OF_THE_PLATFORM = ("/admin/brokerages", "/admin/platform")


@contextmanager
def demo() -> Iterator[tuple[str, dict[str, str]]]:
    """The demo at an address, with the passwords of its owner and of a platform admin by their e-mail addresses."""
    with tempfile.TemporaryDirectory(prefix="aureum-screens-") as data:
        environment = os.environ | {"AUREUM_DATA_DIR": data, "AUREUM_ROUTING_MODEL": "none"}
        command = (*AUREUM, "run", "--port", "0", "--json")
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            try:
                assert running.stdout is not None
                said: dict[str, Any] = json.loads(running.stdout.readline())
                password = secrets.token_urlsafe(16)
                options = ("--email", ADMIN, "--name", "Ada Admin", "--role", "platform_admin", "--password-stdin")
                subprocess.run(
                    (*AUREUM, "user", "create", *options), env=environment, input=password.encode(), check=True
                )
                yield said["url"], {said["admin"]["email"]: said["admin"]["password"], ADMIN: password}
            finally:
                running.terminate()


def log_in(page: Page, site: str, email: str, password: str) -> None:
    page.goto(f"{site}/admin/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/admin")


def address(page: Page, site: str, path: str) -> str | None:
    """The address of a page; of one about a single thing that of the first one in its list, if there is any."""
    before, of_one, after = path.partition("{id}")
    if not of_one:
        return path
    page.goto(site + before.rstrip("/"))
    links = page.eval_on_selector_all("main a[href]", "all => all.map(one => one.getAttribute('href'))")
    ids = (re.fullmatch(re.escape(before) + "(c[0-9a-z]{25}|[0-9]+)", link.partition("?")[0]) for link in links)
    first = next(filter(None, ids), None)
    return first and f"{first[0]}{after}"


def shoot(page: Page, name: str) -> None:
    """What *page* shows, as small as it has to be."""
    for quality in QUALITIES:
        picture = page.screenshot(type="jpeg", quality=quality, animations="disabled")
        if len(picture) <= LARGEST:
            break
    (FOLDER / f"{name}.jpg").write_bytes(picture)


def named(path: str) -> str:
    """The name of a page's picture."""
    words = path.removeprefix("/admin").strip("/").replace("{id}", "one").replace("/", "-")
    return words or "today"


def shoot_all(site: str, passwords: Mapping[str, str]) -> int:
    """All pages on all screens; how many pictures there are."""
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    FOLDER.mkdir(exist_ok=True)
    owner = next(email for email in passwords if email != ADMIN)
    with sync_playwright() as playwright, chromium(playwright) as browser:
        for screen, size in SCREENS.items():
            visits = {}
            for email in (owner, ADMIN):
                visits[email] = browser.new_context(viewport=size).new_page()
                log_in(visits[email], site, email, passwords[email])
            anyone = browser.new_context(viewport=size).new_page()
            for one in SHOWN:
                page = visits[ADMIN if one.path.startswith(OF_THE_PLATFORM) else owner]
                page = anyone if one.anyone else page
                found = address(page, site, one.path)
                if found is None:
                    continue
                answer = page.goto(site + found)
                if answer is not None and answer.status == 200:
                    page.wait_for_load_state("load")
                    shoot(page, f"{named(one.path)}-{screen}")
    return len(list(FOLDER.glob("*.jpg")))


if __name__ == "__main__":
    write_parts_page()
    with demo() as (url, known):
        print(f"{shoot_all(url, known)} pictures are in {FOLDER}.")
