"""Amounts and currencies: whole minor units, the digits of ISO 4217, and the rule that a fee is computed by.

The table is ours, because libraries disagree with the standard: some give ALL, LBP or RSD no digits, where ISO says
two, and so are wrong by a factor of 100. A PSP that counts a currency differently has its exceptions in its adapter.
"""

import re
from typing import Self

from msgspec import Struct

from paydesk.errors import Refusal

AMOUNT_MAX = 99_999_999
"""Minor units; Stripe's limit too (https://docs.stripe.com/api/payment_intents/object). An account may say more."""

_NONE = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf"
_TWO = """
aed afn all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop crc cup cve czk
dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd
kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php
pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top try ttd twd tzs uah
usd uyu uzs ved ves wst xcd xcg yer zar zmw zwg
"""
_THREE = "bhd iqd jod kwd lyd omr tnd"

DIGITS: dict[str, int] = {
    code: places for places, codes in ((0, _NONE), (2, _TWO), (3, _THREE)) for code in codes.split()
}
"""Digits after the decimal point: ISO 4217 list one, up to amendment 180 (BGN gone since 2026). Left out is what nobody
pays with: funds and units of account (BOV, CHE, CHW, CLF, COU, MXV, USN, UYI, UYW, XAD, XDR, XSU, XUA), metals, bond
units, XTS and XXX."""


def digits(currency: str) -> int:
    """Digits of the currency's minor unit; Refusal `currency_unknown` unless it is a lower-case code of the table."""
    try:
        return DIGITS[currency]
    except KeyError:
        raise Refusal("currency_unknown", param="currency") from None


def decimal_text(amount_minor: int, currency: str) -> str:
    """The amount as people write it, without grouping: `19.99`, `1000` for yen, `-0.05`."""
    places = digits(currency)
    sign = "-" if amount_minor < 0 else ""
    if not places:
        return f"{amount_minor}"
    whole, part = divmod(abs(amount_minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def check_amount(amount: int, maximum: int = AMOUNT_MAX) -> None:
    """Refuse (`amount_too_small`, `amount_too_large`) what is not within 1 and `maximum`, both in minor units."""
    if amount < 1:
        raise Refusal("amount_too_small", param="amount")
    if amount > maximum:
        raise Refusal("amount_too_large", f"The amount is above {maximum} minor units.", param="amount")


_FEE = re.compile(
    r"(?P<percent>0|[1-9][0-9]{0,2})(?:\.(?P<fraction>[0-9]{1,4}))?%(?:\+(?P<beside>0|[1-9][0-9]{0,8}))?"
    r"|(?P<alone>0|[1-9][0-9]{0,8})"
)
_MILLION = 1_000_000


class Fee(Struct, frozen=True, kw_only=True):
    """What the platform keeps of a payment: a share and a fixed part, as in `1.5%+25`."""

    share_millionths: int = 0
    """1.5 % is 15 000: four decimals of a percent, and no float."""
    fixed_minor: int = 0
    """In the minor unit of the payment's currency."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1.5%+25`, `2.9%`, `30` or `0`; ValueError with a sentence for anything else."""
        found = _FEE.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{text!r} is not a fee: write a percentage with at most four decimals, a number of minor units,"
                " or both, as in 2.9%, 30 or 1.5%+25."
            )
        percent, fraction, beside, alone = found.group("percent", "fraction", "beside", "alone")
        share = int(percent or 0) * 10_000 + int((fraction or "").ljust(4, "0"))
        if share > _MILLION:
            raise ValueError(f"{text!r} is not a fee: the percentage is above 100.")
        return cls(share_millionths=share, fixed_minor=int(beside or alone or 0))

    def of(self, amount_minor: int) -> int:
        """The fee in minor units, rounded half up, and never more than the amount. ValueError below zero."""
        if amount_minor < 0:
            raise ValueError("a fee is taken of an amount of zero or more")
        share = (amount_minor * self.share_millionths + _MILLION // 2) // _MILLION
        return min(share + self.fixed_minor, amount_minor)

    def __str__(self) -> str:
        """The shortest text that `parse` reads back as the same fee."""
        if not self.share_millionths:
            return f"{self.fixed_minor}"
        percent, fraction = divmod(self.share_millionths, 10_000)
        share = f"{percent}.{fraction:04d}".rstrip("0").rstrip(".") + "%"
        return f"{share}+{self.fixed_minor}" if self.fixed_minor else share
