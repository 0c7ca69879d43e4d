"""A look: a session of one snapshot in which no statement is sent twice, for what one person is shown at once.

Verbs read their own facts, and many of one thing read the same. In one snapshot the same statement has the same rows,
so they are kept until the look is over, and no longer; so is what was made of them, where a query is `once_a_look`.
"""

import functools
from collections.abc import Callable, Collection, Hashable, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Executable, FrozenResult, Result
from sqlmodel import Session

P = ParamSpec("P")
T = TypeVar("T")


class Look(Session):
    """A session for reading that remembers what it has read. Rows are shared: nobody may change a value in one."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        """Begin with nothing read."""
        super().__init__(*args, **kw)
        self._read: dict[Hashable, FrozenResult[Any]] = {}
        self.found: dict[Hashable, Any] = {}
        """What queries returned (`once_a_look`)."""

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        """Send the statement, or return the rows that it had; one with options of its own is always sent."""
        return super().execute(statement, params, **more) if more else self.connection().execute(statement, params)

    def connection(self, *args: Any, **kw: Any) -> Any:
        """Return the connection, which remembers too."""
        return _Remembering(super().connection(*args, **kw), self)

    def once(self, send: Any, statement: Executable, params: Any) -> Result[Any]:
        """Return the rows of a statement, sent the first time."""
        key = _key(statement, params)
        if key is None:
            sent: Result[Any] = send(statement, params)
            return sent
        known = self._read.get(key)
        if known is None:
            known = self._read[key] = send(statement, params).freeze()
        return known()


class _Remembering:
    """A connection whose statements go through the memory of its look."""

    def __init__(self, connection: Connection, look: Look) -> None:
        self._connection, self._look = connection, look

    def execute(self, statement: Any, parameters: Any = None, **more: Any) -> Any:
        if more:
            return self._connection.execute(statement, parameters, **more)
        return self._look.once(self._connection.execute, statement, parameters)

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


_SEVERAL: tuple[type[Collection[Any]], ...] = (list, tuple, set, frozenset, type({}.keys()))


def _plain(value: Any) -> Hashable:
    return (type(value), tuple(value)) if isinstance(value, _SEVERAL) else (type(value), value)


def once_a_look(query: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Have a look answer a query of the same values once; in any other session it is answered each time.

    Who asks gets what others got: a mapping takes no changes, and nobody may change what lies in it.
    """

    @functools.wraps(query)
    def asked(session: Session, /, *args: P.args, **kw: P.kwargs) -> T:
        if not isinstance(session, Look):
            return query(session, *args, **kw)
        key = (query, *map(_plain, args), *((name, _plain(value)) for name, value in kw.items()))
        if key not in session.found:
            found = query(session, *args, **kw)
            session.found[key] = MappingProxyType(found) if isinstance(found, dict) else found
        return cast("T", session.found[key])

    return asked
