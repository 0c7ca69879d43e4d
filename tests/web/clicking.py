"""Visitors in a real Chromium: with a mouse, with the keyboard alone, on a telephone; nothing but this machine."""

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page

from web.cookies import LANGUAGE

NARROW = 390
_MOST_TABS = 400


class Clicker:
    """Somebody with a mouse, in a browser window of their own."""

    def __init__(self, browser: Browser, base: str, **window: Any) -> None:
        self.context = browser.new_context(base_url=base, locale="en-US", **window)
        self.context.add_cookies([{"name": LANGUAGE, "value": "en", "url": base}])
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.has_script = bool(window.get("java_script_enabled", True))
        self.strangers: list[str] = []
        """Addresses of other places that a page asked for."""
        own = urlsplit(base).netloc
        self.page.on("request", lambda one: None if urlsplit(one.url).netloc == own else self.strangers.append(one.url))

    @property
    def path(self) -> str:
        """The address of the page."""
        return urlsplit(self.page.url).path

    @property
    def text(self) -> str:
        """Its words."""
        return self.page.locator("body").inner_text()

    def open(self, path: str) -> None:
        """Type an address into the browser."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {self.text}"
        self.arrived()

    def follow(self, words: str) -> None:
        """Click a link."""
        self._go(self.page.locator("a", has_text=words).first)

    def choose(self, permission: str) -> None:
        """Click the link to a verb."""
        self._go(self.page.locator(f'a[data-verb="{permission}"]').first)

    def submit(self, /, file: Any = None, **typed: str) -> None:
        """Fill in the form that carries a command and press its main button."""
        form = self.page.locator("form:has(input[name=command_id])").first
        self._fill(form, file, typed)
        self._send(form.locator("button.pri").last)

    def press(self, button: str, /, file: Any = None, **typed: str) -> None:
        """Fill in the form of a button and press it."""
        seen = "button:not([aria-hidden]):visible"
        found = self.page.locator(f'{seen}[value="{button}"], {seen}:text-is("{button}")').first
        self._fill(self.page.locator("form").filter(has=found).first, file, typed)
        self._send(found)

    def arrived(self) -> None:
        """Look at a page that has come."""
        assert self.strangers == []

    def _go(self, link: Locator) -> None:
        link.wait_for(state="attached")
        if not link.is_visible():
            self.activate(link.locator("xpath=ancestor::details[1]/summary"))
        with self.page.expect_navigation():
            self.activate(link)
        self.arrived()

    def _send(self, button: Locator) -> None:
        if button.locator("xpath=ancestor::form[1][@data-measured]").count() and self.has_script:
            self._send_measured(button)
        else:
            with self.page.expect_navigation():
                self.activate(button)
        self.arrived()

    def _send_measured(self, button: Locator) -> None:
        """Press what the script sends itself: another page comes, or the answer is written in place of this one."""
        self.page.evaluate("document.body.dataset.before = 'yes'")
        self.activate(button)
        self.page.locator("body:not([data-before])").wait_for()
        self.page.wait_for_load_state()

    def _fill(self, form: Locator, file: Any, typed: dict[str, str]) -> None:
        for name, value in typed.items():
            self._put(form.locator(f'[name="{name}"]:not([type=hidden])'), name, value)
        if file:
            self.attach(form.locator("input[type=file]"), {"name": file[0], "mimeType": "", "buffer": file[1]})

    def _put(self, field: Locator, name: str, value: str) -> None:
        first = field.first
        kind = first.evaluate("one => one.tagName === 'SELECT' ? 'select' : one.type")
        if kind == "select":
            self.pick(first, value)
        elif kind in ("checkbox", "radio"):
            self.tick(field.and_(self.page.locator(f'[value="{value}"]')))
        else:
            self.type(first, kind, value)

    def activate(self, one: Locator) -> None:
        """Press what somebody sees."""
        one.click()

    def pick(self, field: Locator, value: str) -> None:
        """Choose in a list."""
        field.select_option(value)

    def tick(self, box: Locator) -> None:
        """Tick a box."""
        box.check()

    def type(self, field: Locator, _kind: str, value: str) -> None:
        """Type into a field."""
        field.fill(value)

    def attach(self, field: Locator, file: Any) -> None:
        """Choose a file."""
        field.set_input_files(file)


class Typist(Clicker):
    """Somebody who has no mouse: everything is reached by Tab, and what is reached can be seen to be."""

    def __init__(self, browser: Browser, base: str) -> None:
        super().__init__(browser, base)
        # While somebody listens the dialog is caught; to begin only when it is opened comes too late now and then.
        self.page.on("filechooser", lambda _: None)

    def reach(self, one: Locator) -> None:
        """Go there by Tab."""
        handle = one.element_handle()
        for _ in range(_MOST_TABS):
            if self.page.evaluate("one => document.activeElement === one", handle):
                break
            self.page.keyboard.press("Tab")
        else:
            raise AssertionError(f"the keyboard does not reach {one} on {self.path}")
        is_marked = "one => getComputedStyle(one).outlineStyle !== 'none' || getComputedStyle(one).boxShadow !== 'none'"
        assert one.evaluate(is_marked), f"nobody sees that {one} on {self.path} is reached"

    def activate(self, one: Locator) -> None:
        """Press Enter where the keyboard stands."""
        self.reach(one)
        self.page.keyboard.press("Enter")

    def pick(self, field: Locator, value: str) -> None:
        """Go down the list to the choice."""
        self.reach(field)
        find = "(one, value) => [...one.options].findIndex(option => option.value === value) - one.selectedIndex"
        steps = field.evaluate(find, value)
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        assert field.input_value() == value

    def tick(self, box: Locator) -> None:
        """Press the space bar on the box."""
        self.reach(box)
        if not box.is_checked():
            self.page.keyboard.press("Space")

    def type(self, field: Locator, kind: str, value: str) -> None:
        """Type what stands there away, then the words; a day part by part, as the browser asks for it."""
        self.reach(field)
        if kind == "date":
            year, month, day = value.split("-")
            self.page.keyboard.type(f"{month}{day}{year}")
        else:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(value)
        assert field.input_value() == value

    def attach(self, field: Locator, file: Any) -> None:
        """Open the dialog for files by the keyboard."""
        self.reach(field)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Space")
        chooser.value.set_files(file)


class Telephone(Clicker):
    """Somebody with a telephone, on which no page is wider than its screen."""

    def __init__(self, browser: Browser, base: str) -> None:
        window = {"width": NARROW, "height": 844}
        super().__init__(browser, base, viewport=window, is_mobile=True, has_touch=True, device_scale_factor=1)

    def arrived(self) -> None:
        """See that nobody has to push a page aside."""
        super().arrived()
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW, f"{self.path} is {width} px wide"

    def activate(self, one: Locator) -> None:
        """Tap."""
        one.tap()
