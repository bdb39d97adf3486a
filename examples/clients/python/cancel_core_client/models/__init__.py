"""Contains all the data models used in inputs/outputs"""

from .acknowledgement import Acknowledgement
from .blocker import Blocker
from .cancel_answer import CancelAnswer
from .cancel_request import CancelRequest
from .cancellation import Cancellation
from .cancellation_request import CancellationRequest
from .eligibility import Eligibility
from .fee import Fee
from .field_error import FieldError
from .gateway_message import GatewayMessage
from .guest_access import GuestAccess
from .guest_access_request import GuestAccessRequest
from .guest_token import GuestToken
from .guest_token_request import GuestTokenRequest
from .history_entry import HistoryEntry
from .offered_reason import OfferedReason
from .order import Order
from .order_item import OrderItem
from .order_page import OrderPage
from .order_summary import OrderSummary
from .order_withdrawal import OrderWithdrawal
from .order_withdrawal_request import OrderWithdrawalRequest
from .owed_refund import OwedRefund
from .problem import Problem
from .reason import Reason
from .reason_list import ReasonList
from .refund import Refund
from .refund_failure import RefundFailure
from .refund_failure_code import RefundFailureCode
from .refund_item import RefundItem
from .refund_leg import RefundLeg
from .refund_leg_action import RefundLegAction
from .refund_status import RefundStatus
from .requested import Requested
from .shipping import Shipping
from .statement_item import StatementItem
from .submitted_withdrawal import SubmittedWithdrawal
from .withdrawal_item import WithdrawalItem
from .withdrawal_request import WithdrawalRequest
from .withdrawal_statement import WithdrawalStatement

__all__ = (
    "Acknowledgement",
    "Blocker",
    "CancelAnswer",
    "Cancellation",
    "CancellationRequest",
    "CancelRequest",
    "Eligibility",
    "Fee",
    "FieldError",
    "GatewayMessage",
    "GuestAccess",
    "GuestAccessRequest",
    "GuestToken",
    "GuestTokenRequest",
    "HistoryEntry",
    "OfferedReason",
    "Order",
    "OrderItem",
    "OrderPage",
    "OrderSummary",
    "OrderWithdrawal",
    "OrderWithdrawalRequest",
    "OwedRefund",
    "Problem",
    "Reason",
    "ReasonList",
    "Refund",
    "RefundFailure",
    "RefundFailureCode",
    "RefundItem",
    "RefundLeg",
    "RefundLegAction",
    "RefundStatus",
    "Requested",
    "Shipping",
    "StatementItem",
    "SubmittedWithdrawal",
    "WithdrawalItem",
    "WithdrawalRequest",
    "WithdrawalStatement",
)
