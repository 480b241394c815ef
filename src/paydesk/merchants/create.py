"""A merchant with its test account and a first key."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from msgspec import Struct

from paydesk.errors import Refusal
from paydesk.merchants.notices import seal_secret
from paydesk.merchants.rows import Account, ApiKey, Merchant
from paydesk.money import AMOUNT_MAX, Fee
from paydesk.sealing.sealer import Sealer
from paydesk.store import Command, Key, Work
from paydesk.store.ids import letters
from paydesk.world import World

ORIGINS_MAX = 20
SETTLEMENT_DELAY_DAYS_MAX = 30
LATE_PAYMENTS = ("refund", "hold", "keep")
LOCAL_HOSTS = ("localhost", "127.0.0.1")
OWN_PORTS = {"https": 443, "http": 80}

_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")


class NewMerchant(Struct, frozen=True, kw_only=True):
    """What the operator is shown, the secrets this once."""

    merchant_id: str
    account_id: str
    key_id: str
    secret: str
    notice_secret: str


class Terms(Struct, frozen=True, kw_only=True):
    """What the platform takes from a merchant, when it pays it, and what becomes of money that arrives late."""

    fee: str = "0"
    refund_fee: str = "0"
    dispute_fee: str = "0"
    settlement_delay_days: int = 2
    late_payments: str = "refund"


class CreateMerchant(Command[None], frozen=True):
    """Three rows, made beforehand; an id taken by chance is refused and made anew."""

    merchant: Merchant
    account: Account
    key: ApiKey

    def keys(self) -> Iterable[Key]:
        yield Merchant, (self.merchant.id,)
        yield Account, (self.account.id,)
        yield ApiKey, (self.key.account, self.key.id)

    def decide(self, work: Work) -> None:
        if work.find(Account, self.account.id):
            raise Refusal("operation_in_progress", "This account id is taken; try again.")
        work.add(self.merchant)
        work.add(self.account)
        work.add(self.key)


def new_merchant(
    world: World,
    sealer: Sealer,
    *,
    name: str,
    origins: list[str],
    psp_url: str,
    psp_key: str,
    terms: Terms,
    notice_secret: str,
) -> tuple[CreateMerchant, NewMerchant]:
    """The command that creates the merchant, and what to show for it. Raises Refusal where a value can't be used."""
    shard = letters(world.random(5))
    merchant_id, account_id = f"mer_{letters(world.random(16))}", f"acct_{shard}"
    key_id = f"key_test_{shard}{letters(world.random(10))}"
    secret = "sk_test_" + urlsafe_b64encode(world.random(32)).rstrip(b"=").decode()
    now_ms = world.now_ms()
    account = Account(
        id=account_id,
        merchant=merchant_id,
        merchant_name=_name(name),
        livemode=0,
        origins="\n".join(_origins(origins)),
        psp="sandbox",
        psp_url=_psp_url(psp_url),
        psp_key_sealed=sealer.seal("psp-key", psp_key.encode(), account_id, world.random(12)),
        notice_secret_sealed=seal_secret(world, sealer, account_id, notice_secret),
        fee=_fee("fee", terms.fee),
        refund_fee=_fee("refund_fee", terms.refund_fee),
        dispute_fee=_fee("dispute_fee", terms.dispute_fee),
        settlement_delay_days=_delay(terms.settlement_delay_days),
        amount_max=AMOUNT_MAX,
        late_payments=_late_payments(terms.late_payments),
        created_ms=now_ms,
    )
    key = ApiKey(
        account=account_id,
        id=key_id,
        secret_sealed=sealer.seal("api-key", secret.encode(), key_id, world.random(12)),
        created_ms=now_ms,
    )
    merchant = Merchant(id=merchant_id, name=account.merchant_name, test_account=account_id, created_ms=now_ms)
    shown = NewMerchant(
        merchant_id=merchant_id, account_id=account_id, key_id=key_id, secret=secret, notice_secret=notice_secret
    )
    return CreateMerchant(merchant=merchant, account=account, key=key), shown


def check_origin(origin: str, *, livemode: bool) -> str:
    """A full origin (RFC 6454) that may embed the frame, as browsers write it: in lower case, without its scheme's own
    port. http only on this machine, in test mode.
    """
    found = _ORIGIN.fullmatch(origin.lower()) if origin.isascii() else None
    if found is None:
        raise _bad_origin(origin)
    scheme, host, port = found.groups()
    local = scheme == "http" and host in LOCAL_HOSTS and not livemode
    if not (scheme == "https" or local) or not _is_host(host) or not 0 < int(port or 1) < 65536:
        raise _bad_origin(origin)
    return f"{scheme}://{host}" + ("" if port is None or int(port) == OWN_PORTS[scheme] else f":{int(port)}")


def _is_host(host: str) -> bool:
    """A name, or an IPv6 address in brackets that is one."""
    if not host.startswith("["):
        return True
    try:
        return bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False


def _bad_origin(origin: str) -> Refusal:
    return Refusal(
        "parameter_invalid",
        f"{origin!r} is not an origin that can embed the frame. Write scheme, host and port alone, such as "
        "https://shop.example; http only for localhost and 127.0.0.1, in test mode.",
        param="origin",
    )


def _origins(origins: list[str]) -> list[str]:
    if len(origins) > ORIGINS_MAX:
        raise Refusal("parameter_invalid", f"At most {ORIGINS_MAX} origins.", param="origin")
    return [check_origin(origin, livemode=False) for origin in origins]


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        raise Refusal("parameter_invalid", "The name must be 1 to 100 printable characters.", param="name")
    return name.strip()


def _psp_url(url: str) -> str:
    if not _is_plain(url):  # It may hold a password, and is not repeated.
        message = (
            "--psp-url must be an http or https URL: no user or password, query or fragment, no spaces, all ASCII."
        )
        raise Refusal("parameter_invalid", message, param="psp-url")
    return url.rstrip("/")


def _is_plain(url: str) -> bool:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        plain = parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return bool(plain) and url.startswith(("http://", "https://")) and "?" not in url and "#" not in url


def _fee(param: str, text: str) -> str:
    try:
        return str(Fee.parse(text))
    except ValueError as why:
        raise Refusal("parameter_invalid", str(why), param=param) from why


def _late_payments(choice: str) -> str:
    if choice not in LATE_PAYMENTS:
        message = f"Late payments are one of {', '.join(LATE_PAYMENTS)}."
        raise Refusal("parameter_invalid", message, param="late_payments")
    return choice


def _delay(days: int) -> int:
    if not 0 <= days <= SETTLEMENT_DELAY_DAYS_MAX:
        message = f"The settlement delay must be from 0 to {SETTLEMENT_DELAY_DAYS_MAX} days."
        raise Refusal("parameter_invalid", message, param="settlement_delay_days")
    return days
