"""What a process that serves does before it imports anything else.

structlog imports rich where it finds it, to show errors in colour: 4 MB of memory. Only commands need it; to a server
it is not there.
"""

import sys

from aureum.processes.resident import collect_seldom

collect_seldom()
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # so Python is told that a module is not there
