"""Formats an amount with its currency and the currency's number of decimals."""

from decimal import Decimal
from typing import NamedTuple

# ISO 4217: currencies whose minor unit is not a hundredth.
_DIGITS = {
    code: digits
    for digits, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}


class Money(NamedTuple):
    """Whole minor units of an ISO 4217 currency."""

    amount: int
    currency: str

    @property
    def digits(self) -> int:
        return _DIGITS.get(self.currency, 2)

    @property
    def decimal(self) -> Decimal:
        """In whole units, with all digits of the currency: Money(4080, "EUR") is 40.80."""
        return Decimal(self.amount).scaleb(-self.digits)
