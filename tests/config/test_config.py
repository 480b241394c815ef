"""What settings may be, and the origin that follows from them."""

import pytest

from paydesk.config import MAY_BE_ZERO, Config, ConfigError, check_origin_known, explain, read, variable


def refused(name: str, value: str) -> str:
    with pytest.raises(ConfigError) as why:
        read({variable(name): value})
    return str(why.value)


NUMBERS = [
    name
    for name in Config.__struct_fields__
    if isinstance(default := getattr(Config(), name), int) and not isinstance(default, bool) and name != "port"
]


@pytest.mark.parametrize("name", NUMBERS)
def test_none_of_something_is_refused_where_there_must_be_some(name: str) -> None:
    if name in MAY_BE_ZERO:
        assert getattr(read({variable(name): "0"}), name) == 0
    else:
        assert f"{variable(name)} must be from 1 to" in refused(name, "0")
    assert getattr(read({variable(name): "1"}), name) == 1
    for far in ("2147483648", "9" * 20, "9" * 5000):
        assert variable(name) in refused(name, far)


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "pay.local", "port": 80}, "http://pay.local"),
        ({"host": "::1"}, "http://[::1]:8080"),
        ({"host": "2001:db8::1", "port": 9000}, "http://[2001:db8::1]:9000"),
        ({"public_url": "https://pay.example"}, "https://pay.example"),
        ({"public_url": "https://pay.example/"}, "https://pay.example"),
        ({"public_url": "HTTPS://Pay.Example:0443"}, "https://pay.example"),
        ({"public_url": "http://pay.example:80"}, "http://pay.example"),
        ({"public_url": "http://pay.example:443"}, "http://pay.example:443"),
        ({"public_url": "https://[2001:DB8::1]:8443"}, "https://[2001:db8::1]:8443"),
    ],
)
def test_the_origin_is_as_browsers_write_it(settings: dict[str, object], origin: str) -> None:
    assert read({}, settings).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "pay.example",
        "ftp://pay.example",
        "https://",
        "https:///",
        "https://pay.example/paydesk",
        "https://pay.example//",
        "https://pay.example?x=1",
        "https://pay.example/#x",
        "https://user@pay.example",
        "https://user:secret@pay.example",
        "https://pay.example:0",
        "https://pay.example:70000",
        "https://pay.example:port",
        "https://pay example",
        "https://pay.example\n",
        "https://[::1",
        "https://-",
        "https://münchen.example",
    ],
)
def test_a_public_url_that_is_no_origin(url: str) -> None:
    said = refused("public_url", url)
    assert "PAYDESK_PUBLIC_URL must be an origin" in said
    assert "secret" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_every_address_needs_a_name(host: str) -> None:
    with pytest.raises(ConfigError, match="PAYDESK_PUBLIC_URL"):
        check_origin_known(read({"PAYDESK_HOST": host}))
    check_origin_known(read({"PAYDESK_HOST": host, "PAYDESK_PUBLIC_URL": "https://pay.example"}))
    check_origin_known(read({}))


@pytest.mark.parametrize(("value", "shown"), [(None, "not set"), ("", "not set"), (" ", "not set"), ("s3cret", "set")])
def test_of_the_master_key_only_whether_it_is_set_is_shown(value: str | None, shown: str) -> None:
    environment = {} if value is None else {"PAYDESK_MASTER_KEY": value}
    (row,) = [row for row in explain(environment) if row.variable == "PAYDESK_MASTER_KEY"]
    assert (row.value, row.default) == (shown, "not set")
    assert row.source == ("environment" if shown == "set" else "default")
    assert not any("s3cret" in str(row) for row in explain(environment))
