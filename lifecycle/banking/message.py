"""The one hardened reader of ISO 20022 messages: no DTD, no entities, bounded depth and size, known namespaces only.

A message is read as a whole (`tree`) or, where it may be long, section by section with flat memory (`sections`).
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.shapes import Shape

MEBIBYTE = 1 << 20
MAX_STREAMED, MAX_WHOLE = 160 * MEBIBYTE, 16 * MEBIBYTE
"""Bytes of a message that is read section by section (limits table, statement file), and of one read as a whole."""
MAX_DEPTH = 32

_CHUNK = 1 << 16
_LONGEST_PROLOG = MEBIBYTE
_SECTION_DEPTH = 4
_WHITE = " \t\r\n"
_ENCODINGS = frozenset({"utf-8", "us-ascii"})
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:((?:pain|camt)\.[0-9]{3})\.001\.([0-9]{2})", re.ASCII)


class Kind(StrEnum):
    """The messages that are spoken here."""

    PAIN_001 = "pain.001"
    PAIN_002 = "pain.002"
    CAMT_053 = "camt.053"
    CAMT_054 = "camt.054"


VERSIONS: Mapping[Kind, range] = {
    Kind.PAIN_001: range(3, 10),
    Kind.PAIN_002: range(3, 11),
    Kind.CAMT_053: range(2, 9),
    Kind.CAMT_054: range(2, 9),
}


class _Names(dict[str, str]):
    """Names as the parser writes them, with their namespace, each made once."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self.namespace = namespace

    def __missing__(self, name: str) -> str:
        full = self[name] = f"{{{self.namespace}}}{name}"
        return full


class At:
    """An element and where it stands; its `str` is the path that a refusal names."""

    __slots__ = ("element", "name", "names", "number", "parent")

    def __init__(
        self, element: Element, name: str, *, names: _Names, parent: "At | None" = None, number: int = 0
    ) -> None:
        self.element, self.name, self.names, self.parent, self.number = element, name, names, parent, number

    def __str__(self) -> str:
        here = f"{self.name}[{self.number}]" if self.number else self.name
        return here if self.parent is None else f"{self.parent}/{here}"

    def one(self, name: str) -> "At | None":
        """Return the first child of that name."""
        found = self.element.find(self.names[name])
        return None if found is None else At(found, name, names=self.names, parent=self)

    def many(self, name: str) -> "list[At]":
        """Return all children of that name, numbered from 1."""
        found = self.element.findall(self.names[name])
        return [
            At(one, name, names=self.names, parent=self, number=number) for number, one in enumerate(found, start=1)
        ]

    def need(self, name: str) -> "At":
        """Return the child of that name; its absence is refused."""
        found = self.one(name)
        if found is None:
            raise _missing(self, name)
        return found

    def down(self, *names: str) -> "At | None":
        """Return what stands below, child by child."""
        found: At | None = self
        for name in names:
            found = found.one(name) if found is not None else None
        return found

    def text(self, *names: str, most: int = 35) -> str | None:
        """Return the text of what stands below, without the white space around it; None when absent or empty."""
        element: Element | None = self.element
        for name in names:
            element = element.find(self.names[name])  # type: ignore[union-attr]
            if element is None:
                return None
        text = (element.text or "").strip(_WHITE)  # type: ignore[union-attr]
        if len(text) > most:
            place, rule = Below(self, names), f"1–{most}"
            raise BankFileRefused("bank_text_length", element=place, rule=rule, limit=most, found=len(text))
        return text or None

    def need_text(self, *names: str, most: int = 35) -> str:
        """Return the text of what stands below; its absence is refused."""
        text = self.text(*names, most=most)
        if text is None:
            raise _missing(self, "/".join(names))
        return text

    def shaped(self, shape: Shape) -> "At":
        """Return this element; refuse children that are unknown, missing, there too often or out of order."""
        progress = shape.progress()
        start = len(self.names.namespace) + 2
        for child in self.element:
            progress.take(child.tag[start:], self)
        progress.end(self)
        return self


@dataclass(frozen=True, slots=True)
class Below:
    """A place below an element, named child by child."""

    at: At
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join((str(self.at), *self.names))


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose prolog is read and known to be harmless; what follows is still unread."""

    kind: Kind
    version: int
    namespace: str
    head: bytes
    stream: BinaryIO


def opened(stream: BinaryIO) -> Message:
    """Read the prolog and say what the message is; refuse what is no message, an unknown one, or one with a DTD."""
    head, namespace, root = _prolog(stream)
    matched = _NAMESPACE.fullmatch(namespace)
    if root != "Document" or matched is None or matched[1] not in set(Kind):
        raise _unknown_namespace(root, namespace)
    kind, version = Kind(matched[1]), int(matched[2])
    if version not in VERSIONS[kind]:
        raise _unknown_namespace(root, namespace)
    return Message(kind, version, namespace, head, stream)


def tree(message: Message) -> At:
    """Return the whole message, at most 16 MiB."""
    names, root, depth = _Names(message.namespace), None, 0
    for event, element in _events(message, MAX_WHOLE):
        if event == "start":
            root = element if root is None else root
            depth = _deeper(depth, element)
        else:
            depth -= 1
    if root is None:
        raise _malformed("Document", "no element found")
    _refuse_stray_text(root, "Document")
    return At(root, "Document", names=names)


def sections(message: Message) -> Iterator[tuple[At, At | None]]:
    """Yield (part, section) for each complete element four levels down, and (part, None) when a part has ended.

    `Document/BkToCstmrStmt/Stmt[1]` is a part, `…/Ntry[3]` a section of it. A section is taken out of the tree when
    the next one has come, so that memory does not grow with the file.
    """
    names = _Names(message.namespace)
    path: list[At] = []
    counts: list[dict[str, int]] = [{}]
    depth = 0
    for event, element in _events(message, MAX_STREAMED):
        if event == "start":
            depth = _deeper(depth, element)
            if depth <= _SECTION_DEPTH:
                path.append(_entered(element, names, path, counts))
            continue
        depth -= 1
        if depth < _SECTION_DEPTH:
            here = path.pop()
            counts.pop()
            if depth == _SECTION_DEPTH - 1:
                _refuse_stray_text(element, here)
                yield path[-1], here
                _emptied(path[-1], keep=element)
            else:
                _refuse_text_between(here)
                if depth == _SECTION_DEPTH - 2:
                    yield here, None
                    _emptied(path[-1], keep=element)


def _entered(element: Element, names: _Names, path: list[At], counts: list[dict[str, int]]) -> At:
    name = element.tag.rpartition("}")[2]
    counts[-1][name] = number = counts[-1].get(name, 0) + 1
    counts.append({})
    parent = path[-1] if path else None
    return At(element, name, names=names, parent=parent, number=number if len(path) > 1 else 0)


def _emptied(part: At, keep: Element) -> None:
    """Take out all but the last child, whose following text has not been read yet."""
    for child in list(part.element):
        if child is not keep:
            _refuse_white(child.tail, part)
            part.element.remove(child)


def _refuse_stray_text(element: Element, place: object) -> None:
    """Refuse text beside elements: in these messages a value stands alone in its element."""
    for one in element.iter():
        if len(one):
            _refuse_white(one.text, place)
        if one is not element:
            _refuse_white(one.tail, place)


def _refuse_text_between(at: At) -> None:
    _refuse_white(at.element.text, at)
    for child in at.element:
        _refuse_white(child.tail, at)


def _refuse_white(text: str | None, place: object) -> None:
    if text and text.strip(_WHITE):
        raise BankFileRefused("bank_text_between", element=place, rule="elements only", found=shown(text.strip(_WHITE)))


def _deeper(depth: int, element: Element) -> int:
    if depth == MAX_DEPTH:
        name = shown(element.tag.rpartition("}")[2])
        raise BankFileRefused("bank_xml_depth", element=name, rule=f"depth <= {MAX_DEPTH}", limit=MAX_DEPTH)
    return depth + 1


def _events(message: Message, most: int) -> Iterator[tuple[str, Element]]:
    """Yield start and end of each element, counting bytes; refuse what is not well-formed."""
    # A DTD has been refused before this parser sees a byte.
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    read = 0
    try:
        for chunk in _chunks(message):
            read += len(chunk)
            if read > most:
                limit = most // MEBIBYTE
                raise BankFileRefused("bank_file_too_large", element="Document", rule=f"<= {limit} MiB", limit=limit)
            parser.feed(chunk)
            yield from parser.read_events()  # type: ignore[misc]
        parser.close()
        yield from parser.read_events()  # type: ignore[misc]
    except ParseError as error:
        raise _malformed("Document", str(error)) from None


def _chunks(message: Message) -> Iterator[bytes]:
    yield message.head
    while chunk := message.stream.read(_CHUNK):
        yield chunk


class _RootReached(Exception):
    """The first element has begun; from here on no DTD can follow."""


def _prolog(stream: BinaryIO) -> tuple[bytes, str, str]:
    """Return the bytes read so far, the namespace and the name of the first element."""
    found: list[str] = []

    def doctype(*_: object) -> None:
        raise BankFileRefused("bank_xml_dtd", element="Document", rule="no DTD")

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise BankFileRefused("bank_xml_encoding", element="Document", rule="UTF-8", found=shown(encoding))

    def first(name: str, _attributes: object) -> None:
        namespace, _, local = name.rpartition(" ")
        found.extend((namespace, local))
        raise _RootReached

    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.StartDoctypeDeclHandler, parser.XmlDeclHandler, parser.StartElementHandler = doctype, declared, first
    head = b""
    while not found:
        chunk = stream.read(_CHUNK)
        head += chunk
        if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            declared("", "UTF-16", 0)
        try:
            if len(head) > _LONGEST_PROLOG:
                raise _malformed("Document", "no element found")
            parser.Parse(chunk, not chunk)
        except _RootReached:
            break
        except expat.ExpatError as error:
            raise _malformed("Document", str(error)) from None
    return head, found[0], found[1]


def _malformed(place: object, why: str) -> BankFileRefused:
    return BankFileRefused("bank_xml_malformed", element=place, rule="XML 1.0", why=shown(why))


def _missing(at: At, name: str) -> BankFileRefused:
    return BankFileRefused("bank_element_missing", element=f"{at}/{name}", rule="required")


def _unknown_namespace(root: str, namespace: str) -> BankFileRefused:
    spoken = ", ".join(f"{kind}.001.{one.start:02}–{one.stop - 1:02}" for kind, one in VERSIONS.items())
    return BankFileRefused("bank_namespace", element=shown(root), rule=spoken, found=shown(namespace) or "–")
