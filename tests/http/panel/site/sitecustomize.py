"""Found by the process whose pages ``tests/http/panel`` reads: its hashes are cheap."""

from tests.http.cheap_hashes import make_cheap

make_cheap()
