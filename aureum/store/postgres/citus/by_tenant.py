"""What is looked for among the rows of all tenants at once, and what Citus does instead: it finds the tenants without
locks, and then asks for one after the other.
"""

import re
from dataclasses import dataclass
from functools import cached_property

JOINED = re.compile(r"\b(\w+)\.tenant_id = (\w+)\.tenant_id\b")
"""Where a row is of the same tenant as another one."""


@dataclass(frozen=True)
class Everywhere:
    """*statement* finds rows of all tenants by the condition *due*, which stands in it behind WHERE. *table* is that of
    the rows, with the alias that they have there: ``timers d``."""

    statement: str
    table: str
    due: str

    @cached_property
    def tenants(self) -> str:
        """Finds the tenants that have such rows."""
        return f"SELECT DISTINCT {self.alias}.tenant_id FROM {self.table}\n WHERE {self.due}"  # noqa: S608  # of constants

    @cached_property
    def of_tenant(self) -> str:
        """The statement for one tenant, by whom it finds its node."""
        assert f"WHERE {self.due}" in self.statement
        first, behind = self.statement.split(f"WHERE {self.due}", 1)
        joined = (
            JOINED.sub(r"\1.tenant_id = %(tenant)s AND \2.tenant_id = %(tenant)s", part) for part in (first, behind)
        )
        return f"WHERE {self.alias}.tenant_id = %(tenant)s AND {self.due}".join(joined)

    @property
    def alias(self) -> str:
        """Of the rows."""
        return self.table.split()[-1]
