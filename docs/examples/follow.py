"""Keep a copy of a list: AUREUM_KEY=aur_… python3 docs/examples/follow.py https://crm.example.com/api/leads leads.json

The first run reads the whole list, every further one what has changed since. Nothing is missed, however many programs
write meanwhile, and no clock is asked. Needs nothing but Python.
"""

import json
import os
import re
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

LIST, FILE = sys.argv[1], Path(sys.argv[2])
HEADERS = {"Authorization": f"Bearer {os.environ['AUREUM_KEY']}"}
PAGE = "&limit=100" if "?" in LIST else "?limit=100"

copy = json.loads(FILE.read_text()) if FILE.exists() else {"after": None, "items": {}}
url = copy["after"]
if url is None:
    url, copy["items"] = LIST + PAGE, {}
while url is not None:
    try:
        with urlopen(Request(url, headers=HEADERS), timeout=60) as answer:  # noqa: S310  # your own address
            items = json.load(answer)
            links = dict(reversed(link) for link in re.findall('<([^>]*)>; rel="([a-z]+)"', answer.headers["Link"]))
    except HTTPError as error:
        if error.code != 400 or url == LIST + PAGE:
            raise
        # The link is of no use any more: the database was restored from a backup. Start again.
        url, copy["items"] = LIST + PAGE, {}
        continue
    for item in items:
        if item.get("removed"):
            print("removed", item["id"], "" if copy["items"].pop(str(item["id"]), None) else "(was not here)")
        else:
            print("changed" if str(item["id"]) in copy["items"] else "new", item["id"])
            copy["items"][str(item["id"])] = item
    copy["after"] = urljoin(url, links["delta"])
    url = urljoin(url, links["next"]) if "next" in links else None
FILE.write_text(json.dumps(copy, indent=1))
