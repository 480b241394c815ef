"""Every setting: its environment variable, its default and a sentence. `paydesk config` prints this list."""

import ipaddress
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
        """Where shoppers and merchants reach Paydesk: scheme, host and port."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

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
OFF = "off"

SENTENCES = {
    "data": "The folder with the database, its lock and the socket for the command line.",
    "host": "The address that the API and the frame listen on.",
    "port": "Their port; 0 takes a free one.",
    "admin_host": "The address that the admin listener (/metrics, /livez, /readyz) is on. Unsigned: keep it private.",
    "admin_port": "Its port; 0 takes a free one, off is none. By default the one above PORT (free where that is free).",
    "public_url": "The origin under which shoppers reach Paydesk; by default http://HOST:PORT.",
    "master_key_file": "The 0600 file with the master key; by default DATA.key, beside the data folder.",
    "egress_allow": "Private networks, comma separated, that webhook endpoints added by the operator may be in.",
    "rate_limits": "Limit requests per key and per address (off for benches).",
    "requests_per_second_per_key": "Sustained requests per second for one key; twice as many at once.",
    "requests_per_second_per_address": "Sustained requests per second from one address; twice as many at once.",
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
    """Every setting with its value and where that came from."""
    config, defaults = read(environment, given), Config()
    return [
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
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(f"{variable(name)} must be a whole number, not {text!r}.")
        return int(text)
    return Path(text) if isinstance(default, Path) or name.endswith("_file") else text


def _check(config: Config) -> None:
    if not 0 <= config.port <= PORT_MAX:
        raise ConfigError(f"PAYDESK_PORT (--port) must be a whole number from 0 to {PORT_MAX}, not {config.port}.")
    _check_admin_port(config)
    if config.log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"PAYDESK_LOG_LEVEL must be debug, info, warning or error, not {config.log_level!r}.")
    try:
        assert config.networks is not None
    except ValueError as why:
        raise ConfigError(f"PAYDESK_EGRESS_ALLOW must be networks such as 127.0.0.0/8: {why}") from why
    if config.public_url and not config.public_url.startswith(("https://", "http://")):
        raise ConfigError("PAYDESK_PUBLIC_URL must be an origin such as https://pay.example.")


def _check_admin_port(config: Config) -> None:
    text = config.admin_port
    if text not in ("", OFF) and not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= PORT_MAX):
        raise ConfigError(
            f"PAYDESK_ADMIN_PORT (--admin-port) must be a port from 0 to {PORT_MAX}, or off, not {text!r}."
        )
    if not text and config.port == PORT_MAX:
        raise ConfigError(f"There is no port above {PORT_MAX} for the admin listener: set PAYDESK_ADMIN_PORT.")
