"""How far each webhook is, in the PostgreSQL database, and which process tells it.

One process at a time: for as long as it looks at the database, nobody else; where it is
gone, another one goes on half a minute later.
"""

from uuid import UUID

from server.problems import ProblemError
from server.store.postgres.database import Database
from shared.protocol import ProblemType

__all__ = ["RENEW", "begin", "keep"]

_LASTS = "interval '30 seconds'"

_BEGIN = """
INSERT INTO hook (name, position) SELECT $1, position FROM turn ON CONFLICT DO NOTHING
"""
_TAKE = f"""
UPDATE hook SET teller = $2, until = clock_timestamp() + {_LASTS}
WHERE name = $1 AND (teller IS NULL OR teller = $2 OR until < clock_timestamp())
RETURNING position
"""  # noqa: S608 # of constants
_KEEP = f"""
UPDATE hook SET position = $3, until = clock_timestamp() + {_LASTS}
WHERE name = $1 AND teller = $2 RETURNING position
"""  # noqa: S608 # of constants
RENEW = f"UPDATE hook SET until = clock_timestamp() + {_LASTS} WHERE teller = $1"  # noqa: S608 # of constants


def begin(database: Database, name: str, teller: UUID) -> int | None:
    """Return the position of a webhook; a new one begins behind what is there.

    ``None``: another process tells it.
    """
    database.do(_BEGIN, name)
    row = database.row(_TAKE, name, teller)
    return None if row is None else int(row[0])


def keep(database: Database, name: str, teller: UUID, position: int) -> None:
    """Note that everything up to a position was taken.

    Raises:
        ProblemError: 409, another process tells it by now.
    """
    if database.row(_KEEP, name, teller, position) is None:
        reason = f"another server process tells the webhook {name} by now"
        raise ProblemError(409, ProblemType.BUSY, reason)
