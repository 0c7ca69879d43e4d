"""Where a call may go that somebody else gave the address of."""

import pytest

from models.ports import Transient
from notifications.addresses import NotAllowed, is_public, resolved, target_of

PUBLIC = ("93.184.215.14",)


class TestPublicAddress:
    @pytest.mark.parametrize(
        "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
    )
    def test_is_one_of_the_internet_in_any_spelling(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",  # noqa: S104 - an address that is refused
            "255.255.255.255",
            "224.0.1.1",
            "240.0.0.1",
            "198.18.0.1",
            "192.88.99.1",
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fec0::1",
            "ff0e::1",
            "2001:db8::1",
            "3fff::1",
        ],
    )
    def test_is_none_of_a_machine_or_a_house(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001:0:7f00:1::",
        ],
    )
    def test_is_none_that_hides_one_of_a_house(self, address: str) -> None:
        assert not is_public(address)


class TestTarget:
    def test_keeps_the_name_beside_the_address(self) -> None:
        target = target_of("https://hooks.example.org/in?x=1", resolve=lambda _host, _port: PUBLIC)

        assert (target.host, target.port, target.path, target.addresses) == (
            "hooks.example.org",
            443,
            "/in?x=1",
            PUBLIC,
        )
        assert target.authority == "hooks.example.org"

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("http://hooks.example.org/", "not_https"),
            ("https://hooks.example.org:8443/", "port"),
            ("https://user@hooks.example.org/", "user_info"),
            ("https://user:secret@hooks.example.org/", "user_info"),
            ("https://@hooks.example.org/", "user_info"),
            ("ftp://hooks.example.org/", "url_wrong"),
            ("file:///etc/passwd", "url_wrong"),
            ("https:///x", "url_wrong"),
            ("https://hooks.example.org:0/", "url_wrong"),
            ("https://hooks.example.org:port/", "url_wrong"),
            ("https://hooks.example.org\\@127.0.0.1/", "url_wrong"),
            ("https://hooks.exam\nple.org/", "url_wrong"),
            ("https://hooks.example.org/a b", "url_wrong"),
            ("https://[::1/", "url_wrong"),
        ],
    )
    def test_is_refused_before_any_name_is_asked(self, url: str, code: str) -> None:
        def asked(_host: str, _port: int) -> tuple[str, ...]:
            raise AssertionError("nobody is asked for the name")

        with pytest.raises(NotAllowed, match=code):
            target_of(url, resolve=asked)

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://localhost./",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::127.0.0.1]/",
            "https://①②⑦.⓪.⓪.①/",
        ],
    )
    def test_is_refused_for_this_machine_in_every_spelling(self, url: str) -> None:
        with pytest.raises((NotAllowed, Transient), match=r"address_not_public|name_unknown"):
            target_of(url)

    def test_is_refused_when_one_address_of_many_is_inside(self) -> None:
        with pytest.raises(NotAllowed, match="address_not_public"):
            target_of("https://mixed.example.org/", resolve=lambda _host, _port: (*PUBLIC, "10.0.0.1"))

    def test_may_be_anywhere_when_it_is_named(self) -> None:
        target = target_of("http://127.0.0.1:8099/x", allow={"127.0.0.1:8099"})

        assert (target.addresses, target.is_tls, target.authority) == (("127.0.0.1",), False, "127.0.0.1:8099")

    def test_of_another_port_is_not_named(self) -> None:
        with pytest.raises(NotAllowed, match="not_https"):
            target_of("http://127.0.0.1:9000/", allow={"127.0.0.1:8099"})

    def test_of_a_name_that_nobody_knows_may_come_to_be(self) -> None:
        with pytest.raises(Transient, match="name_unknown"):
            resolved("no-such-host.invalid", 443)
