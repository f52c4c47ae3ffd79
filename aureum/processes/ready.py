"""Whether a process of Aureum is ready: ``python -m aureum.processes.ready URL [SECONDS]`` waits so long for a 200 from
its ``/readyz``, and ends with 1 if none comes. For service managers and container engines, which need no curl then."""

import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

PAUSE_SECONDS = 0.2
ANSWER_SECONDS = 4.0


def is_ready(url: str, seconds: float) -> bool:
    """Whether *url* answers with 200 within *seconds*; it is asked once at least."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # the operator's own URL
                if answer.status == 200:
                    return True
        except (URLError, OSError):
            if time.monotonic() >= until:
                return False
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(0 if is_ready(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0) else 1)
