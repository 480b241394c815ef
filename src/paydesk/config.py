"""Every setting: its environment variable, its default and a sentence. `paydesk config` prints this list."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import fields

from paydesk.errors import Sentence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Setting(Struct, frozen=True, kw_only=True):
    """One line of `paydesk config`."""

    name: str
    variable: str
    value: str
    default: str
    source: Literal["default", "environment", "command line"]
    sentence: str


class ConfigError(Sentence):
    """A setting has a value that can't be used; the sentence says which and what to write instead."""


class Config(Struct, frozen=True, kw_only=True):
    """The settings of one process. Fields are read from PAYDESK_<NAME>."""

    data: Path = Path("var/paydesk")
    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: str = ""
    public_url: str = ""
    master_key_file: Path | None = None
    egress_allow: str = ""
    rate_limits: bool = True
    requests_per_second_per_key: int = 500
    requests_per_second_per_address: int = 1000
    notices_per_second_per_address: int = 500
    header_bytes_max: int = 16 * 1024
    header_timeout_seconds: int = 10
    body_bytes_max: int = 256 * 1024
    body_timeout_seconds: int = 30
    attempts_max: int = 10
    intent_expires_seconds: int = 86_400
    capture_within_seconds: int = 7 * 86_400
    challenge_within_seconds: int = 900
    asking_max: int = 512
    streams_max: int = 2000
    connections_max: int = 8192
    connections_per_address_max: int = 2048
    psp_timeout_seconds: int = 20
    psp_max_in_flight_seconds: int = 30
    confirm_wait_seconds: int = 25
    delivery_timeout_seconds: int = 15
    endpoints_max: int = 16
    drain_seconds: int = 20
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def database(self) -> Path:
        return self.data / "paydesk.db"

    @property
    def key_file(self) -> Path:
        """Beside the data folder, not in it: a backup of the folder alone opens nothing."""
        return self.master_key_file or self.data.with_name(self.data.name + ".key")

    @property
    def origin(self) -> str:
        """Where shoppers and merchants reach Paydesk: scheme, host and port, as browsers write an origin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        url = self.public_url or f"http://{host}:{self.port}"
        return _origin(url) or url

    @property
    def admin_listens_on(self) -> int | None:
        """The admin listener's port: 0 takes a free one, None is none."""
        if self.admin_port == OFF:
            return None
        if self.admin_port:
            return int(self.admin_port)
        return self.port + 1 if self.port else 0

    @property
    def asking_share(self) -> int:
        """How many questions to PSPs one account may have under way: its PSP may be the one that hangs."""
        return max(self.asking_max // 2, 1)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The private ranges that endpoints added by the operator may be in."""
        return tuple(ipaddress.ip_network(part.strip()) for part in self.egress_allow.split(",") if part.strip())


PORT_MAX = 65_535
NUMBER_MAX = 2**31 - 1
OFF = "off"
EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 (nothing is bound to here)
MASTER_KEY = "PAYDESK_MASTER_KEY"

MAY_BE_ZERO = ("confirm_wait_seconds", "drain_seconds")
"""Not to wait at all makes sense; of everything else there must be some."""

_ORIGIN = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?", re.IGNORECASE
)

SENTENCES = {
    "data": "The folder with the database, its lock and the socket for the command line.",
    "host": "The address that the API and the frame listen on.",
    "port": "Their port; 0 takes a free one.",
    "admin_host": "The address that the admin listener (/metrics, /livez, /readyz) is on. Unsigned: keep it private.",
    "admin_port": "Its port; 0 takes a free one, off is none. By default the one above PORT (free where that is free).",
    "public_url": "The origin under which shoppers reach Paydesk; by default http://HOST:PORT, which 0.0.0.0 is not.",
    "master_key_file": "The 0600 file with the master key; by default DATA.key, beside the data folder.",
    "egress_allow": "Private networks, comma separated, that webhook endpoints added by the operator may be in.",
    "rate_limits": "Limit requests per key and per address (off for benches).",
    "requests_per_second_per_key": "Sustained requests per second for one key; twice as many at once.",
    "requests_per_second_per_address": "Sustained requests per second from one address; twice as many at once.",
    "notices_per_second_per_address": "Sustained notices (calls of PSPs) per second from one address; twice as many "
    "at once.",
    "header_bytes_max": "Request line and headers together, in bytes.",
    "header_timeout_seconds": "How long the headers of a request may take to arrive.",
    "body_bytes_max": "The largest request body, in bytes.",
    "body_timeout_seconds": "How long a body may take to arrive.",
    "attempts_max": "Attempts to pay one intent; attempts that never reached the PSP do not count.",
    "intent_expires_seconds": "How long an intent waits to be paid before it is canceled.",
    "capture_within_seconds": "How long what is held waits for its capture before it is released.",
    "challenge_within_seconds": "How long a shopper may take at the bank (3-D Secure), from the moment the bank asks.",
    "asking_max": "Questions to PSPs under way at once; half of them for one account. Above that a "
    "confirm is refused with 503 before any effect.",
    "streams_max": "Live streams and held status requests at once.",
    "connections_max": "Open connections at once; fewer where the system allows so few files that PSPs need the rest.",
    "connections_per_address_max": "Open connections from one address; a proxy in front is one address.",
    "psp_timeout_seconds": "How long a PSP may take to answer before its outcome counts as unknown.",
    "psp_max_in_flight_seconds": "How long a question may still land at a PSP after it was given up.",
    "confirm_wait_seconds": "How long a shopper's confirm waits for the outcome before it answers 202.",
    "delivery_timeout_seconds": "How long a webhook receiver may take in all.",
    "endpoints_max": "Webhook endpoints per account.",
    "drain_seconds": "How long a stop waits for what is under way.",
    "log_level": "debug, info, warning or error.",
}


def read(environment: Mapping[str, str], given: Mapping[str, Any] | None = None) -> Config:
    """The settings from the command line (`given`, None where not given) over the environment over the defaults."""
    values: dict[str, Any] = {}
    for field in fields(Config):
        text = environment.get(variable(field.name))
        if text is not None:
            values[field.name] = _parsed(field.name, text)
    values |= {name: value for name, value in (given or {}).items() if value is not None}
    config = Config(**values)
    _check(config)
    return config


def explain(environment: Mapping[str, str], given: Mapping[str, Any] | None = None) -> list[Setting]:
    """Every setting with its value and where that came from; of the master key only whether it is set."""
    config, defaults = read(environment, given), Config()
    return [_master_key(environment)] + [
        Setting(
            name=field.name,
            variable=variable(field.name),
            value=_text(getattr(config, field.name)),
            default=_text(getattr(defaults, field.name)),
            source=_source(field.name, environment, given or {}),
            sentence=SENTENCES[field.name],
        )
        for field in fields(Config)
    ]


def _master_key(environment: Mapping[str, str]) -> Setting:
    is_set = bool(environment.get(MASTER_KEY, "").strip())
    return Setting(
        name="master_key",
        variable=MASTER_KEY,
        value="set" if is_set else "not set",
        default="not set",
        source="environment" if is_set else "default",
        sentence="The key that everything secret is sealed with; else PAYDESK_MASTER_KEY_FILE holds it.",
    )


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PAYDESK_{name.upper()}"


def _source(
    name: str, environment: Mapping[str, str], given: Mapping[str, Any]
) -> Literal["default", "environment", "command line"]:
    if given.get(name) is not None:
        return "command line"
    return "environment" if variable(name) in environment else "default"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def _parsed(name: str, text: str) -> object:
    default = getattr(Config(), name)
    if isinstance(default, bool):
        if text.lower() not in ("on", "off", "true", "false", "1", "0"):
            raise ConfigError(f"{variable(name)} must be on or off, not {text!r}.")
        return text.lower() in ("on", "true", "1")
    if isinstance(default, int):
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise ConfigError(f"{variable(name)} must be a whole number, not {text[:40]!r}.")
        return int(text)
    return Path(text) if isinstance(default, Path) or name.endswith("_file") else text


def _check(config: Config) -> None:
    if not 0 <= config.port <= PORT_MAX:
        raise ConfigError(f"PAYDESK_PORT (--port) must be a whole number from 0 to {PORT_MAX}, not {config.port}.")
    _check_admin_port(config)
    _check_numbers(config)
    if config.log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"PAYDESK_LOG_LEVEL must be debug, info, warning or error, not {config.log_level!r}.")
    try:
        assert config.networks is not None
    except ValueError as why:
        raise ConfigError(f"PAYDESK_EGRESS_ALLOW must be networks such as 127.0.0.0/8: {why}") from why
    if config.public_url and _origin(config.public_url) is None:
        raise ConfigError(
            "PAYDESK_PUBLIC_URL must be an origin, scheme, host and port alone, such as https://pay.example."
        )


def check_origin_known(config: Config) -> None:
    """Refuse to serve on every address without a name for them: pages, links and card payloads hold our origin."""
    if config.host in EVERY_ADDRESS and not config.public_url:
        raise ConfigError(
            "PAYDESK_HOST (--host) is every address of this machine, which is none that a shopper can reach: set "
            "PAYDESK_PUBLIC_URL to the origin under which Paydesk is reached, such as https://pay.example."
        )


def _origin(url: str) -> str | None:
    """The URL as an origin, in lower case and without its scheme's own port; None where it is more or less than one."""
    found = _ORIGIN.fullmatch(url)
    if found is None:
        return None
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if port is not None and not 0 < int(port) <= PORT_MAX:
        return None
    if port is None or int(port) == {"https": 443, "http": 80}[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}"


def _check_numbers(config: Config) -> None:
    for field in fields(Config):
        value = getattr(config, field.name)
        if isinstance(value, bool) or not isinstance(value, int) or field.name == "port":
            continue
        least = 0 if field.name in MAY_BE_ZERO else 1
        if not least <= value <= NUMBER_MAX:
            raise ConfigError(f"{variable(field.name)} must be from {least} to {NUMBER_MAX}, not {value}.")


def _check_admin_port(config: Config) -> None:
    text = config.admin_port
    if text not in ("", OFF) and not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= PORT_MAX):
        raise ConfigError(
            f"PAYDESK_ADMIN_PORT (--admin-port) must be a port from 0 to {PORT_MAX}, or off, not {text!r}."
        )
    if not text and config.port == PORT_MAX:
        raise ConfigError(f"There is no port above {PORT_MAX} for the admin listener: set PAYDESK_ADMIN_PORT.")
