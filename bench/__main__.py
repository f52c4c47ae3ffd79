"""``python -m bench [NAME…] [--quick] [--write]``: measure, print tables, and on request write docs/performance.md.

``python -m bench form --against CHECKOUT`` measures beside another version, and ``python -m bench scale`` fills a
database with ten million events: only if they are asked for.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from aureum.domain.routing.settings import MODES
from bench import (
    append,
    archive,
    ceremony,
    databases,
    documents,
    duplicates,
    erase,
    export,
    form,
    hosts,
    http,
    importing,
    lanes,
    lists,
    live,
    mail,
    memory,
    panel,
    portal,
    rebuild,
    replicas,
    resources,
    routing,
    scale,
    seal,
    search,
    swap,
    timers,
    webhooks,
)
from bench.load import generator
from bench.rows import Row, table


class Part(Protocol):
    """Measure; with *quick* only have a look."""

    def __call__(self, *, quick: bool) -> list[Row]: ...


def rebuilding(*, quick: bool) -> list[Row]:
    """``bench.rebuild`` as a part."""
    return rebuild.rows(rebuild.run(quick=quick))


def delivering(*, quick: bool) -> list[Row]:
    """``bench.webhooks`` as a part."""
    return webhooks.rows(webhooks.run(quick=quick))


PARTS: dict[str, tuple[str | None, Part]] = {
    "append": (append.__doc__, append.run),
    "http": (http.__doc__, http.run),
    "resources": (resources.__doc__, resources.run),
    "rebuild": (rebuild.__doc__, rebuilding),
    "export": (export.__doc__, export.run),
    "import": (importing.__doc__, importing.run),
    "swap": (swap.__doc__, swap.run),
    "archive": (archive.__doc__, archive.run),
    "webhooks": (webhooks.__doc__, delivering),
    "lanes": (lanes.__doc__, lanes.run),
    "mail": (mail.__doc__, mail.run),
    "timers": (timers.__doc__, timers.run),
    "hosts": (hosts.__doc__, hosts.run),
    "routing": (routing.__doc__, routing.run),
    "search": (search.__doc__, search.run),
    "duplicates": (duplicates.__doc__, duplicates.run),
    "erase": (erase.__doc__, erase.run),
    "lists": (lists.__doc__, lists.run),
    "replicas": (replicas.__doc__, replicas.run),
    "panel": (panel.__doc__, panel.run),
    "portal": (portal.__doc__, portal.run),
    "ceremony": (ceremony.__doc__, ceremony.run),
    "seal": (seal.__doc__, seal.run),
    "documents": (documents.__doc__, documents.run),
    "live": (live.__doc__, live.run),
    "memory": (memory.__doc__, memory.run),
}
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
NEW_PAGE = f"# Performance\n\n{BEGIN}{END}"


def machine(url: str) -> str:
    """What it was measured on, as a Markdown list; *url* is the database server's."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    lines = (
        f"{cores()} cores ({processor()}), {memory_bytes / 2**30:.0f} GB of memory, {platform.system()}",
        f"{databases.version(url)}, Python {platform.python_version()}",
        f"load from {generator()}, on the same cores",
        f"load average when it began: {os.getloadavg()[0]:.1f} (other work on the machine blurs everything below)",
        f"{datetime.now(UTC):%d %B %Y}",
    )
    return "".join(f"- {line}\n" for line in lines)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def measured(name: str, part: tuple[str | None, Part], *, quick: bool) -> str:
    """Run a part; its section of the page, printed as well."""
    text, run = part
    started = time.monotonic()
    rows = run(quick=quick)
    section = f"## {name}\n\n{(text or '').strip()}\n\n{table(rows)}\n"
    print(f"{section}\n{time.monotonic() - started:.0f} s\n", flush=True)
    return section


def write(measured: str) -> None:
    """Replace what was measured before; what people wrote around it stays."""
    page = PAGE.read_text() if PAGE.exists() else NEW_PAGE
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}")


def main(arguments: Sequence[str]) -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PARTS)}; all without one")
    parser.add_argument("--quick", action="store_true", help="short slices and few of them: a look, not a measurement")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.parent.name}/{PAGE.name}")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="for form: a checkout with another version")
    parser.add_argument("--mode", choices=MODES, default="round_robin", help="for form: how brokerages route")
    parser.add_argument("--events", type=int, default=scale.EVENTS, help="for scale: how many, %(default)s by default")
    parser.add_argument("--brokerages", type=int, default=scale.BROKERAGES, help="for scale: how many")
    asked = parser.parse_args(arguments)
    parts = dict(PARTS)
    if asked.against is not None:
        parts["form"] = form.__doc__, partial(form.run, against=asked.against, mode=asked.mode)
    elif "form" in asked.names:
        parser.error("form needs --against CHECKOUT: a directory with another version and its .venv.")
    if "scale" in asked.names:
        parts["scale"] = scale.__doc__, partial(scale.run, events=asked.events, brokerages=asked.brokerages)
    unknown = [name for name in asked.names if name not in parts]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}. There are {', '.join(parts)}.")
    if asked.write and (asked.names or asked.quick):
        parser.error("--write is for a whole run: leave out the names and --quick.")
    with databases.server() as url:
        # All parts share it.
        os.environ[databases.VARIABLE] = url
        about = machine(url)
        print(about)
        sections = [measured(name, parts[name], quick=asked.quick) for name in asked.names or parts]
    if asked.write:
        write("\n".join([f"Measured by `make bench ARGS=--write`.\n\n{about}", *sections]))


if __name__ == "__main__":
    main(sys.argv[1:])
