from enum import StrEnum


class RefundFailureCode(StrEnum):
    INSUFFICIENT_CAPTURED_AMOUNT = "INSUFFICIENT_CAPTURED_AMOUNT"
    INVALID_ORDER = "INVALID_ORDER"
    PROVIDER_DECLINED = "PROVIDER_DECLINED"

    def __str__(self) -> str:
        return str(self.value)
