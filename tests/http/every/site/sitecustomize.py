"""Found by the two processes of ``tests/http/every``: their hashes are cheap, and they soon cease to wait for a worker
that would test a webhook. The walk asks for dozens of these, and none runs. ``tests/http/api/webhooks`` has how long
they wait otherwise.
"""

from aureum.http.api.webhooks import ping
from tests.http.cheap_hashes import make_cheap

make_cheap()
ping.PATIENCE_SECONDS = 0.1
