"""Found by every process whose PYTHONPATH leads here: it has one resource more."""

import tests.declared.notes  # noqa: F401
