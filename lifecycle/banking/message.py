"""The one hardened reader of ISO 20022 messages: no DTD, no entities, bounded depth and size, known namespaces only.

A message is read as a whole (`whole`) or, where it may be long, section by section with flat memory (`sections`).
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, NamedTuple, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.shapes import Shape, Shapes

MEBIBYTE = 1 << 20
MAX_STREAMED, MAX_WHOLE = 160 * MEBIBYTE, 8 * MEBIBYTE
"""Bytes of a message that is read section by section (limits table, statement file); of one section or a whole tree."""
MAX_DEPTH = 32

_CHUNK = 1 << 18  # the parser begins a long token anew with each chunk: small ones would make it slow
_WHITE = " \t\r\n"
_CURRENCY = "@Ccy"
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
    """Local names by the names that the parser gives; a name of another namespace stays as it is, and means nothing."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self.start = namespace + "}"

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.removeprefix(self.start)
        return name


class Record:
    """An element and where it stands, with all that is below it by its path: texts, and records of what may repeat.

    `str` of a record is its path in the file, which a refusal names. What may repeat, the shapes say.
    """

    __slots__ = ("_many", "_texts", "name", "path")

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path
        self._texts: dict[str, str] = {}
        self._many: dict[str, list[Record]] = {}

    def __str__(self) -> str:
        return self.path

    def has(self, path: str) -> bool:
        """Say whether the element is there, even if nothing is in it."""
        return path in self._texts

    def text(self, path: str = "", most: int = 35) -> str | None:
        """Return the text of an element, without the white space around it; None when absent or empty."""
        text = self._texts.get(path)
        if text and len(text) > most:
            place, rule = Below(self, path), f"1–{most}"
            raise BankFileRefused("bank_text_length", element=place, rule=rule, limit=most, found=len(text))
        return text or None

    def need(self, path: str = "", most: int = 35) -> str:
        """Return the text of an element; its absence is refused."""
        text = self.text(path, most)
        if text is None:
            raise _missing(Below(self, path))
        return text

    def currency(self, path: str) -> str:
        """Return the currency of an amount, or an empty text."""
        return self._texts.get(path + _CURRENCY, "")

    def many(self, path: str) -> "list[Record]":
        """Return the records of an element that may repeat, in their order."""
        return self._many.get(path, [])

    def fill(self, element: Element, names: _Names, shapes: Shapes, depth: int = 1) -> "Record":
        """Take in all that is below the element; refuse what its shape or XML as it is used here forbids."""
        if len(element):
            self._fill(element, names, shapes, prefix="", depth=depth)
        else:
            self._texts[""] = (element.text or "").strip(_WHITE)
        return self

    def _fill(self, element: Element, names: _Names, shapes: Shapes, *, prefix: str, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise _too_deep(element)
        _refuse_text(element.text, self, prefix)
        shape = shapes.get(names[element.tag])
        rank, repeats, texts = -1, False, self._texts
        for child in element:  # every element of a long file passes here: what is right is told without a call
            tail = child.tail
            if tail and tail.strip(_WHITE):
                _refuse_text(tail, self, prefix)
            name = names[child.tag]
            path = prefix + name
            if shape is not None:
                rank, repeats = shape.step(name, rank, self, prefix)
            if repeats:
                found = self._many.setdefault(path, [])
                below = f"{self.path}/{path}[{len(found) + 1}]"
                found.append(Record(name, below).fill(child, names, shapes, depth + 1))
            elif len(child):
                texts.setdefault(path, "")
                self._fill(child, names, shapes, prefix=path + "/", depth=depth + 1)
            elif path not in texts:
                text = child.text
                texts[path] = text.strip(_WHITE) if text else ""
                currency = child.get("Ccy")
                if currency is not None:
                    texts[path + _CURRENCY] = currency
        if shape is not None:
            self._check_required(shape, prefix)

    def _check_required(self, shape: Shape, prefix: str) -> None:
        for name in shape.required:
            if prefix + name not in self._texts and prefix + name not in self._many:
                raise _missing(Below(self, prefix + name))


class Below(NamedTuple):
    """A place below a record."""

    record: Record
    path: str

    def __str__(self) -> str:
        return f"{self.record}/{self.path}".rstrip("/")


class _Growing:
    """A tree that grows as its bytes are read. What has been built can be looked at, and taken out, in between."""

    def __init__(self, stream: BinaryIO) -> None:
        self.root: Element | None = None
        self.read = 0
        self._stream, self._builder = stream, TreeBuilder()
        self._expat = expat.ParserCreate(namespace_separator="}")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler, self._expat.XmlDeclHandler = self._doctype, self._declared
        # The builder's own methods are called without a step through Python.
        self._expat.StartElementHandler, self._expat.EndElementHandler = self._first, self._builder.end
        self._expat.CharacterDataHandler = self._builder.data

    @property
    def document(self) -> Element:
        """The first element, which `opened` has waited for."""
        if self.root is None:
            raise _malformed("no element found")
        return self.root

    def grow(self, most: int) -> bool:
        """Read on; say whether there may be more. Refuse what is too large, too deep or not well-formed."""
        chunk = self._stream.read(_CHUNK)
        if not self.read and chunk.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            self._declared("1.0", "UTF-16", 0)
        self.read += len(chunk)
        if self.read > most:
            raise _too_large(most)
        try:
            self._expat.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise _malformed(str(error)) from None
        if self.root is not None:
            _refuse_deep_end(self.root)
        return bool(chunk)

    def _first(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self._builder.start(tag, attributes)
        self._expat.StartElementHandler = self._builder.start

    def _doctype(self, *_: object) -> NoReturn:
        raise BankFileRefused("bank_xml_dtd", element="Document", rule="no DTD")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise BankFileRefused("bank_xml_encoding", element="Document", rule="UTF-8", found=shown(encoding))


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose prolog is read and known to be harmless; the rest is still unread."""

    kind: Kind
    version: int
    names: _Names
    growing: _Growing


def opened(stream: BinaryIO) -> Message:
    """Read the prolog and say what the message is; refuse what is no message, an unknown one, or one with a DTD."""
    growing = _Growing(stream)
    while growing.root is None:
        growing.grow(MEBIBYTE)
    namespace, _, root = growing.root.tag.rpartition("}")
    matched = _NAMESPACE.fullmatch(namespace)
    if root != "Document" or matched is None or matched[1] not in set(Kind):
        raise _unknown_namespace(root, namespace)
    kind, version = Kind(matched[1]), int(matched[2])
    if version not in VERSIONS[kind]:
        raise _unknown_namespace(root, namespace)
    return Message(kind, version, _Names(namespace), growing)


def whole(message: Message, shapes: Shapes) -> Record:
    """Return the whole message, at most 8 MiB."""
    while message.growing.grow(MAX_WHOLE):
        pass
    return Record("Document", "Document").fill(message.growing.document, message.names, shapes)


def sections(message: Message, shapes: Shapes) -> Iterator[tuple[Record, Record | None]]:
    """Yield (part, section) for each complete element four levels down, and (part, None) when a part has ended.

    `Document/BkToCstmrStmt/Stmt[1]` is a part, `…/Ntry[3]` a section of it. What has been yielded is taken out of the
    tree, so that memory does not grow with the file.
    """
    growing, names = message.growing, message.names
    document = _Emptied(Record("Document", "Document"), growing.document, names, shapes)
    top: _Emptied | None = None
    part: _Emptied | None = None
    has_more, taken = True, 0
    while has_more:
        has_more = growing.grow(MAX_STREAMED)
        if growing.read - taken > MAX_WHOLE:  # one section as long as a whole message would fill the memory
            raise _too_large(MAX_WHOLE)
        if top is None and len(document.element):
            top = _Emptied(*document.next(), names, shapes)
        while top is not None and len(top.element):
            part = part or _Emptied(*top.next(), names, shapes)
            # The last one may still be open: only when another has begun is it whole, with the text behind it.
            is_open = has_more and len(top.element) == 1
            for _ in range(len(part.element) - is_open):
                section, element = part.next()
                taken = growing.read
                yield part.record, section.fill(element, names, shapes, depth=4)
                part.remove(element)
            if is_open:
                break
            part.end()
            yield part.record, None
            top.remove(part.element)
            part = None
    if top is not None:
        top.end()
        document.remove(top.element)
    if len(document.element):
        document.next()  # a second message in one document is refused by the shape
    document.end()


class _Emptied:
    """An element whose children are taken out one by one."""

    def __init__(self, record: Record, element: Element, names: _Names, shapes: Shapes) -> None:
        self.record, self.element = record, element
        self._names, self._shape, self._rank = names, shapes.get(record.name), -1
        self._counts: dict[str, int] = {}

    def next(self) -> tuple[Record, Element]:
        """Return the first child that is still there, numbered among those of its name if it may repeat."""
        element = self.element[0]
        name = self._names[element.tag]
        repeats = True
        if self._shape is not None:
            self._rank, repeats = self._shape.step(name, self._rank, self.record)
        self._counts[name] = number = self._counts.get(name, 0) + 1
        path = f"{self.record}/{name}[{number}]" if repeats else f"{self.record}/{name}"
        return Record(name, path), element

    def remove(self, child: Element) -> None:
        """Take a child out that has been read to its end."""
        _refuse_text(child.tail, self.record)
        self.element.remove(child)

    def end(self) -> None:
        """Refuse what is missing, and text before the children."""
        _refuse_text(self.element.text, self.record)
        for name in self._shape.required if self._shape else ():
            if name not in self._counts:
                raise _missing(Below(self.record, name))


def _refuse_deep_end(root: Element) -> None:
    """Refuse a path of last children that is too long: what is still open is among them."""
    depth = 1
    while len(root):
        root, depth = root[-1], depth + 1
        if depth > MAX_DEPTH:
            raise _too_deep(root)


def _refuse_text(text: str | None, record: Record, path: str = "") -> None:
    """Refuse text beside elements: in these messages a value stands alone in its element."""
    found = text and text.strip(_WHITE)
    if found:
        place = Below(record, path)
        raise BankFileRefused("bank_text_between", element=place, rule="elements only", found=shown(found))


def _missing(place: Below) -> BankFileRefused:
    return BankFileRefused("bank_element_missing", element=place, rule="required")


def _too_large(most: int) -> BankFileRefused:
    limit = most // MEBIBYTE
    return BankFileRefused("bank_file_too_large", element="Document", rule=f"<= {limit} MiB", limit=limit)


def _too_deep(element: Element) -> BankFileRefused:
    name = shown(element.tag.rpartition("}")[2])
    return BankFileRefused("bank_xml_depth", element=name, rule=f"depth <= {MAX_DEPTH}", limit=MAX_DEPTH)


def _malformed(why: str) -> BankFileRefused:
    return BankFileRefused("bank_xml_malformed", element="Document", rule="XML 1.0", why=shown(why))


def _unknown_namespace(root: str, namespace: str) -> BankFileRefused:
    spoken = ", ".join(f"{kind}.001.{one.start:02}–{one.stop - 1:02}" for kind, one in VERSIONS.items())
    return BankFileRefused("bank_namespace", element=shown(root), rule=spoken, found=shown(namespace) or "–")
