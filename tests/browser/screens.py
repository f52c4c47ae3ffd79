"""A screenshot of every page of the panel and of the client portal, on a large screen and on a phone, with the data of
the demo: ``python -m tests.browser.screens``. They stand in ``docs/screens``, and the page that shows every part beside
them."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from playwright.sync_api import Page, ViewportSize, sync_playwright

from aureum.demo.data import CLIENT
from aureum.http.portal.menu import PLACES
from tests.browser.combinations import SHOWN
from tests.browser.parts import write_parts_page
from tests.browser.visitor import DESKTOP, PHONE, chromium
from tests.pdf.papers import contract

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
AUREUM = (sys.executable, "-m", "aureum")
LARGEST = 60_000
QUALITIES = (70, 60, 50, 40, 30, 20)
SCREENS: Mapping[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}

ADMIN = "ada.admin@example.com"
CODE = re.compile(r"\b[0-9]{6}\b")
OF_THE_PLATFORM = ("/admin/brokerages", "/admin/platform")


class Demo(NamedTuple):
    """The demo at an address, where it writes mails, and the passwords of its owner and of a platform admin by their
    e-mail addresses."""

    url: str
    mails: Path
    passwords: Mapping[str, str]


@contextmanager
def demo() -> Iterator[Demo]:
    """The demo, with documents to sign and a rehearsal besides its own data."""
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
                lived(said["url"], said["apiKey"], said["admin"])
                passwords = {said["admin"]["email"]: said["admin"]["password"], ADMIN: password}
                yield Demo(said["url"], Path(data) / "mail", passwords)
            finally:
                running.terminate()


def lived(url: str, key: str, owner: Mapping[str, str]) -> None:
    """What the demo does not have of its own: documents that were sent to be signed, a draft, and a rehearsal."""

    def ask(method: str, path: str, body: Any = None, media: str = "application/json", by: str = key) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {"Authorization": f"Bearer {by}", "Content-Type": media}
        request = Request(url + path, content, headers, method=method)  # noqa: S310  # the demo's own address
        with urlopen(request) as answer:  # noqa: S310  # as above
            return json.load(answer)

    signers = [
        {"name": "Ethan Brooks", "email": CLIENT, "order": 1},
        {"name": "Ava Stone", "email": "ava.stone@example.com", "order": 2},
    ]
    for subject in ("Purchase of 12 Oak Lane", "Listing of 7 Sage Court"):
        made = ask("POST", "/api/envelopes", {"subject": subject, "recipients": signers, "inOrder": True})
        path = f"/api/envelopes/{made['id']}"
        paper = contract(3, anchors=["/sig:buyer/", "/sig:seller/"])
        document = ask("POST", f"{path}/documents?name=Contract.pdf", paper, "application/pdf")["id"]
        fields = [
            {"recipientId": one["id"], "documentId": document, "kind": "signature", "anchor": anchor}
            for one, anchor in zip(made["recipients"], ("/sig:buyer/", "/sig:seller/"), strict=True)
        ]
        ask("PATCH", path, {"fields": fields})
        if subject.startswith("Purchase"):
            ask("POST", f"{path}/send")
    token = ask("POST", "/api/v1/auth/login", {name: owner[name] for name in ("email", "password")})["token"]
    ask("POST", "/api/v1/admin/routing/rehearse", {"since": "2020-01-01T00:00:00Z"}, by=token)


def sign_in(page: Page, site: str, mails: Path) -> None:
    """As the demo's client, with the code of the mail."""
    page.goto(f"{site}/portal")
    before = set(mails.rglob("*.eml"))
    page.get_by_label("Email address").fill(CLIENT)
    page.get_by_role("button", name="Send me an email").click()
    code = page.get_by_label("Code")
    code.wait_for()
    while (found := code_in(set(mails.rglob("*.eml")) - before)) is None:
        page.wait_for_timeout(100)
    code.fill(found)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()


def code_in(files: Iterable[Path]) -> str | None:
    """The code in one of these mails."""
    for file in files:
        mail = message_from_bytes(file.read_bytes(), policy=default)
        body = mail.get_body(("plain",))
        if CLIENT in mail["To"] and body is not None and (found := CODE.search(body.get_content())):
            return found[0]
    return None


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


def shoot_all(demo: Demo) -> int:
    """All pages on all screens; how many pictures there are."""
    site, passwords = demo.url, demo.passwords
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
            shoot_portal(anyone, demo, screen)
    return len(list(FOLDER.glob("*.jpg")))


def shoot_portal(page: Page, demo: Demo, screen: str) -> None:
    """The portal's pages before and after the client signs in."""
    page.goto(f"{demo.url}/portal")
    shoot(page, f"portal-sign-in-{screen}")
    sign_in(page, demo.url, demo.mails)
    for place in PLACES:
        page.goto(demo.url + place.path)
        shoot(page, f"{place.path.strip('/').replace('/', '-')}-{screen}")


if __name__ == "__main__":
    write_parts_page()
    with demo() as running_demo:
        print(f"{shoot_all(running_demo)} pictures are in {FOLDER}.")
