"""What is sold, and what it costs."""

from collections.abc import Mapping

from msgspec import Struct

CURRENCY = "usd"


class Product(Struct, frozen=True, kw_only=True):
    """One thing on the shelf."""

    sku: str
    name: str
    says: str
    price_minor: int


SHELF = (
    Product(sku="tea", name="Mountain oolong", says="100 g, rolled leaves, spring harvest.", price_minor=1_800),
    Product(sku="pot", name="Clay teapot", says="300 ml, unglazed, pours without a drip.", price_minor=4_200),
)
BY_SKU = {product.sku: product for product in SHELF}
QUANTITY_MAX = 20


def price(basket: Mapping[str, int]) -> int:
    """What a basket of sku and quantity costs, in minor units. Raises ValueError for what is not sold."""
    if not basket:
        raise ValueError("The basket is empty.")
    for sku, quantity in basket.items():
        if sku not in BY_SKU:
            raise ValueError("There is no such product.")
        if not 1 <= quantity <= QUANTITY_MAX:
            raise ValueError(f"The quantity must be from 1 to {QUANTITY_MAX}.")
    return sum(BY_SKU[sku].price_minor * quantity for sku, quantity in basket.items())


def written(amount_minor: int) -> str:
    """The amount as a shopper reads it. The shop sells in one currency, with two decimals."""
    return f"${amount_minor // 100:,}.{amount_minor % 100:02d}"
