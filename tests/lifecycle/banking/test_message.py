from io import BytesIO

import pytest

from lifecycle.banking.message import MAX_DEPTH, MAX_WHOLE, Record, opened, whole
from lifecycle.banking.refusal import BankFileRefused

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


def document(content: str = "<A/>", *, prolog: str = "", namespace: str = NAMESPACE, root: str = "Document") -> bytes:
    return f'{prolog}<{root} xmlns="{namespace}">{content}</{root}>'.encode()


def tree(data: bytes) -> Record:
    return whole(opened(BytesIO(data)), {})


def refused(data: bytes) -> BankFileRefused:
    with pytest.raises(BankFileRefused) as caught:
        tree(data)
    return caught.value


LAUGHS = '<!DOCTYPE Document [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip


class TestOpened:
    @pytest.mark.parametrize(
        ("code", "data"),
        [
            ("bank_xml_dtd", document(prolog="<!DOCTYPE Document>")),
            ("bank_xml_dtd", document("&x;", prolog='<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>')),
            ("bank_xml_dtd", document("&i;", prolog=LAUGHS)),
            ("bank_xml_dtd", document(prolog='<!DOCTYPE Document SYSTEM "http://127.0.0.1/x.dtd">')),
            ("bank_xml_dtd", document(prolog="<!-- " + "x" * 200_000 + " --><!DOCTYPE Document>")),
            ("bank_namespace", document(namespace="urn:iso:std:iso:20022:tech:xsd:pain.002.001.99")),
            ("bank_namespace", document(namespace="urn:iso:std:iso:20022:tech:xsd:pain.008.001.02")),
            ("bank_namespace", document(namespace=NAMESPACE + "\u200b")),
            ("bank_namespace", b"<Document><A/></Document>"),
            ("bank_namespace", document(root="document")),
            ("bank_namespace", f'<n:Document xmlns:n="{NAMESPACE}x"/>'.encode()),
            ("bank_xml_encoding", document(prolog='<?xml version="1.0" encoding="GBK"?>')),
            ("bank_xml_encoding", document(prolog='<?xml version="1.0" encoding="UTF-7"?>')),
            ("bank_xml_encoding", document().decode().encode("utf-16")),
            ("bank_xml_malformed", document("甲公司").decode().encode("gb18030")),
            ("bank_xml_malformed", b""),
            ("bank_xml_malformed", b"\0\0\0"),
            ("bank_xml_malformed", b"booked_on,amount"),
            ("bank_xml_malformed", document()[:-3]),
            ("bank_xml_malformed", document() + b"<!DOCTYPE Document>"),
            ("bank_xml_malformed", document("&undefined;")),
            ("bank_xml_malformed", document("<A>\x01</A>")),
            ("bank_file_too_large", b" " * 2**21 + document()),
        ],
    )
    def test_refuses_what_is_hostile_or_unknown(self, code: str, data: bytes) -> None:
        refusal = refused(data)

        assert refusal.codes == (code,)
        assert refusal.element
        assert refusal.rule

    def test_says_kind_and_version_by_the_namespace_alone(self) -> None:
        message = opened(BytesIO(document()))

        assert (message.kind, message.version) == ("pain.002", 10)

    def test_takes_a_prefixed_namespace_and_a_byte_order_mark(self) -> None:
        data = f'\ufeff<n:Document xmlns:n="{NAMESPACE}"><n:A>1</n:A></n:Document>'.encode()

        assert tree(data).text("A") == "1"


class TestWhole:
    def test_reads_32_levels_and_no_more(self) -> None:
        def nested(levels: int) -> bytes:
            return document("<A>" * (levels - 1) + "</A>" * (levels - 1))

        assert tree(nested(MAX_DEPTH)).has("A")
        assert refused(nested(MAX_DEPTH + 1)).codes == ("bank_xml_depth",)
        assert refused(nested(100_000)).codes == ("bank_xml_depth",)

    def test_reads_8_mebibytes_and_no_more(self) -> None:
        def sized(size: int) -> bytes:
            return document("<A>" + "x" * (size - len(document("<A></A>"))) + "</A>")

        assert len(sized(MAX_WHOLE)) == MAX_WHOLE
        assert tree(sized(MAX_WHOLE)).has("A")
        assert refused(sized(MAX_WHOLE + 1)).codes == ("bank_file_too_large",)

    def test_refuses_text_beside_elements(self) -> None:
        assert refused(document("<A>1</A> x")).codes == ("bank_text_between",)
        assert refused(document("<A>x<B>1</B></A>")).codes == ("bank_text_between",)
