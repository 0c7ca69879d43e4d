"""`THIRD_PARTY.md`: what runs with Pilotway and under which licence, read from what is installed."""

import tomllib
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.generate.markdown import ROOT, page, table

_INTRO = """# Third-party software

Pilotway is under the Apache License 2.0 ([LICENSE](LICENSE)). It is installed with the packages below, each under its
own licence; none of their code is kept in this repository. Versions stand in `requirements.lock`.

- **psycopg** is under the LGPL 3.0. It is used unchanged, as a package of its own that anybody may replace.
- **certifi**, **orjson** and **pathspec** are under the MPL 2.0 and are used unchanged, too. Of the two licences of
  **text-unidecode** the Artistic License is taken.
- **pm4py** is under the AGPL 3.0. It is no part of Pilotway, is not in the table, and no module imports it:
  `make mining` installs it into an environment of its own, where one test lets it read our exported histories.
- What only tests and checks need (`test` and `dev` in `pyproject.toml`) is not delivered with Pilotway."""


_ELSEWHERE = {"async-timeout": ("Apache Software License", "Timeout context manager for asyncio programs")}
"""What comes along on other Pythons that we support: before 3.11.3."""


def third_party() -> str:
    """Return the page with the licence of each package that runs with Pilotway."""
    direct = set(_declared())
    here = {name: (licence, _said(metadata.metadata(name), "Summary")) for name, licence in licences().items()}
    rows = ((f"**{name}**" if name in direct else name, *said) for name, said in sorted({**_ELSEWHERE, **here}.items()))
    about = "What Pilotway itself imports or starts is bold; the rest comes with it."
    return page(_INTRO, about, table(("Package", "Licence", "What it is"), rows))


def licences() -> dict[str, str]:
    """Return package -> licence of everything that our dependencies bring along in this environment."""
    found: dict[str, str] = {}
    waiting = [Requirement(one) for one in _project()["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *sorted(one.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                found[name] = _licence(name)
                waiting.extend(_brings(name, extra))
    return found


def _project() -> dict[str, list[str]]:
    project: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _declared() -> Iterator[str]:
    yield from (canonicalize_name(Requirement(one).name) for one in _project()["dependencies"])


def _brings(name: str, extra: str) -> Iterator[Requirement]:
    for text in metadata.requires(name) or ():
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield one


def _licence(name: str) -> str:
    """Return the SPDX expression, else what the classifiers say, else the first line of the free text."""
    about = metadata.metadata(name)
    if expression := _said(about, "License-Expression"):
        return expression
    said = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    return "; ".join(said) or _said(about, "License") or "see the package"


def _said(about: metadata.PackageMetadata, key: str) -> str:
    """Return the first line of a value; nothing where there is none."""
    return str((about.get_all(key) or [""])[0]).strip().partition("\n")[0]
