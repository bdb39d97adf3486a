from enum import StrEnum


class RefundLegAction(StrEnum):
    REFUND = "refund"
    VOID = "void"

    def __str__(self) -> str:
        return str(self.value)
