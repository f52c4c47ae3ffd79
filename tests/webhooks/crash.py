"""A power cut, for the embedded server."""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from aureum.store.postgres.embedded_programs import run_program, server_user


def crash(url: str) -> None:
    """Stop the embedded server at once, without writing anything down; ``revive`` starts it again."""
    cluster = Path(str(conninfo_to_dict(url)["host"]))
    code, said = run_program("pg_ctl", cluster, server_user(cluster), ("stop", "--mode=immediate", "--wait"), 30)
    if code != 0:
        raise RuntimeError(f"The server does not stop: {said}")
