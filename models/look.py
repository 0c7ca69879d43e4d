"""A look: a session of one snapshot in which no statement is sent twice, for what one person is shown at once.

Verbs read their own facts, and many of one thing read the same. In one snapshot the same statement has the same rows,
so they are kept until the look is over, and no longer.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from sqlalchemy import Connection, Executable, FrozenResult, Result
from sqlmodel import Session


class Look(Session):
    """A session for reading that remembers what it has read. Rows are shared: nobody may change a value in one."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        """Begin with nothing read."""
        super().__init__(*args, **kw)
        self._read: dict[Hashable, FrozenResult[Any]] = {}

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        """Send the statement, or return the rows that it had; one with options of its own is always sent."""
        if more:
            return super().execute(statement, params, **more)
        return self.once("session", super().execute, statement, params)

    def connection(self, *args: Any, **kw: Any) -> Any:
        """Return the connection, which remembers too."""
        return _Remembering(super().connection(*args, **kw), self)

    def once(self, door: str, send: Any, statement: Executable, params: Any) -> Result[Any]:
        """Return the rows of a statement, sent through one of the two doors the first time."""
        key = _key(statement, params)
        if key is None:
            sent: Result[Any] = send(statement, params)
            return sent
        known = self._read.get((door, key))
        if known is None:
            known = self._read[door, key] = send(statement, params).freeze()
        return known()


class _Remembering:
    """A connection whose statements go through the memory of its look."""

    def __init__(self, connection: Connection, look: Look) -> None:
        self._connection, self._look = connection, look

    def execute(self, statement: Any, parameters: Any = None, **more: Any) -> Any:
        if more:
            return self._connection.execute(statement, parameters, **more)
        return self._look.once("connection", self._connection.execute, statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _key(statement: Any, params: Any) -> Hashable | None:
    """Return what tells a statement with its values from every other; None where that cannot be told.

    The first part is what SQLAlchemy itself knows a statement by, to compile it once.
    """
    made = statement._generate_cache_key()  # noqa: SLF001 - the key that its own cache of compiled statements goes by
    if made is None or not isinstance(params, Mapping | None):
        return None
    bound = tuple(_plain(one.effective_value) for one in made.bindparams)
    return made.key, bound, tuple((name, _plain(value)) for name, value in (params or {}).items())


def _plain(value: Any) -> Hashable:
    return (type(value), tuple(value)) if isinstance(value, list | tuple | set | frozenset) else (type(value), value)
