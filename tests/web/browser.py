"""A small browser for tests: it opens a page of the application in this process, fills the form it finds, sends it.

No script runs in it, so whatever it can do works without JavaScript.
"""

import asyncio
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from web.cookies import LANGUAGE

ADDRESS = "http://console.example"
_SILENT = frozenset({"script", "style", "title"})


@dataclass(slots=True)
class Form:
    """One form as it stands on a page: what it would send if nobody touched it, and its buttons."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """(words, name, value)."""
    names: set[str] = field(default_factory=set)
    """Every field there is, empty ones too."""


class Page(HTMLParser):
    """What a person sees of an answer: text, links, forms."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.answer, self.status, self.path = answer, answer.status_code, answer.url.raw_path.decode()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.title = ""
        self._words: list[str] = []
        self._open: list[str] = []
        self._link: tuple[str, list[str]] | None = None
        self._button: tuple[str, str, list[str]] | None = None
        self._select: tuple[str, list[str], list[str]] | None = None
        self._area: tuple[str, list[str]] | None = None
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """The words of the page, one blank between them."""
        return " ".join(" ".join(self._words).split())

    def form(self, action: str) -> Form:
        """Return the form that goes to an address ending like this."""
        for one in self.forms:
            if one.action.endswith(action):
                return one
        raise AssertionError(f"no form to {action!r} on {self.path}: {[one.action for one in self.forms]}")

    def link(self, words: str) -> str:
        """Return where the first link with these words leads."""
        for said, target in self.links:
            if words in said:
                return target
        raise AssertionError(f"no link {words!r} on {self.path}: {[said for said, _ in self.links]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notice forms, fields and links."""
        has = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        if tag == "form":
            self.forms.append(Form(has.get("method", "get"), has.get("action", "")))
        elif tag == "a" and "href" in has:
            self._link = (has["href"], [])
        elif tag == "button":
            self._button = (has.get("name", ""), has.get("value", ""), [])
        elif tag == "input" and self.forms:
            self._input(has, is_checked=any(name == "checked" for name, _ in attrs))
        elif tag == "textarea":
            self._area = (has["name"], [])
        elif tag == "select":
            self._select = (has["name"], [], [])
        elif tag == "option" and self._select:
            chosen = self._select[2] if any(name == "selected" for name, _ in attrs) else self._select[1]
            chosen.append(has.get("value", ""))

    def _input(self, has: dict[str, str], *, is_checked: bool) -> None:
        form = self.forms[-1]
        form.names.add(has.get("name", ""))
        if has.get("type") in ("checkbox", "radio") and not is_checked:
            return
        if "name" in has:
            form.fields.append((has["name"], has.get("value", "on")))

    def handle_endtag(self, tag: str) -> None:
        """Take what the element held."""
        if tag == "a" and self._link:
            self.links.append((" ".join("".join(self._link[1]).split()), self._link[0]))
            self._link = None
        elif tag == "button" and self._button and self.forms:
            name, value, words = self._button
            self.forms[-1].buttons.append((" ".join("".join(words).split()), name, value))
            self._button = None
        elif tag == "textarea" and self._area:
            self._field(self._area[0], "".join(self._area[1]))
            self._area = None
        elif tag == "select" and self._select:
            name, others, chosen = self._select
            self._field(name, (chosen or others or [""])[0])
            self._select = None

    def _field(self, name: str, value: str) -> None:
        self.forms[-1].names.add(name)
        self.forms[-1].fields.append((name, value))

    def handle_data(self, data: str) -> None:
        """Take words to where they stand."""
        last = self._open[-1] if self._open else ""
        for taker in (self._link and self._link[1], self._button and self._button[2], self._area and self._area[1]):
            if taker is not None:
                taker.append(data)
        if last == "title" and data.strip() and not self.title:
            self.title = data.strip()
        if last not in _SILENT or "svg" in self._open[-4:]:
            self._words.append(data)


class Browser:
    """Somebody in front of the console; cookies stay, redirects are followed, nothing runs."""

    def __init__(self, app: FastAPI, *, lang: str = "en") -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.1", 1234))
        self.client = httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies={LANGUAGE: lang}, timeout=60)
        self.page: Page

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request and return the answer as it came."""
        return self._runner.run(self.client.request(method, path, **more))

    def open(self, path: str) -> Page:
        """Open a page; redirects are followed."""
        return self._arrive(self.ask("GET", path, headers={"sec-fetch-site": "none"}))

    def follow(self, words: str) -> Page:
        """Click the first link with these words."""
        return self.open(self.page.link(words))

    def send(self, button: str, /, file: Any = None, **typed: Any) -> Page:
        """Fill in the form that has this button, and press it. What is not there cannot be typed in.

        `file` is the name and content for its field of a file.
        """
        form, (_, name, value) = self._form(button)
        assert set(typed) <= form.names, f"no field {set(typed) - form.names} beside {sorted(form.names)}"
        sent = [(key, said) for key, said in form.fields if key not in typed]
        for key, said in typed.items():
            sent += [(key, one) for one in ([said] if isinstance(said, str) else said)]
        if name:
            sent.append((name, value))
        headers = {"sec-fetch-site": "same-origin", "origin": ADDRESS}
        if form.method == "get":
            return self._arrive(self.ask("GET", form.action, params=sent, headers=headers))
        data: dict[str, list[str]] = {}
        for key, one in sent:
            data.setdefault(key, []).append(one)
        files = {"file": file} if file else None
        return self._arrive(self.ask("POST", form.action, data=data, files=files, headers=headers))

    def _form(self, button: str) -> tuple[Form, tuple[str, str, str]]:
        for form in self.page.forms:
            for one in form.buttons:
                if button in (one[0], one[2]):
                    return form, one
        known = [one[0] for form in self.page.forms for one in form.buttons]
        raise AssertionError(f"no button {button!r} on {self.page.path}: {known}")

    def _arrive(self, answer: httpx.Response) -> Page:
        while answer.is_redirect:
            target = urlsplit(answer.headers["location"])
            assert not target.netloc, f"led away to {answer.headers['location']}"
            answer = self.ask("GET", answer.headers["location"])
        self.page = Page(answer)
        return self.page
