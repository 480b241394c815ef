"""Where an account's PSP sends its notices, and the secret that it signs them with."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable

from paydesk.errors import Refusal
from paydesk.merchants.rows import Account
from paydesk.sealing.sealer import Sealer
from paydesk.store import Command, Key, Work
from paydesk.world import World

PURPOSE = "notice-secret"
SECRET_LETTERS_MIN, SECRET_LETTERS_MAX = 16, 255


class SetNoticeSecret(Command[None], frozen=True):
    """From now on notices hold under this secret alone."""

    account: str
    sealed: bytes

    def keys(self) -> Iterable[Key]:
        yield Account, (self.account,)

    def decide(self, work: Work) -> None:
        work.change(work.get(Account, self.account), notice_secret_sealed=self.sealed)


def notice_url(origin: str, account: Account) -> str:
    """Where its PSP is to send notices; `origin` is where Paydesk is reached."""
    return f"{origin}/psp/{account.psp}/notices/{account.id}"


def notice_secret(world: World, given: str | None) -> str:
    """The secret that the operator brings, or a new one. A Refusal where it can't be used."""
    if given is None:
        return "nsec_" + urlsafe_b64encode(world.random(32)).rstrip(b"=").decode()
    plain = given.isascii() and given.isprintable() and " " not in given
    if not plain or not SECRET_LETTERS_MIN <= len(given) <= SECRET_LETTERS_MAX:
        raise Refusal(
            "parameter_invalid",
            f"A notice secret is {SECRET_LETTERS_MIN} to {SECRET_LETTERS_MAX} printable ASCII characters, no spaces.",
            param="notice-secret",
        )
    return given


def seal_secret(world: World, sealer: Sealer, account: str, secret: str) -> bytes:
    return sealer.seal(PURPOSE, secret.encode(), account, world.random(12))
