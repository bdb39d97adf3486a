"""Exit codes, and errors that an operator can act on, each in one line."""

from __future__ import annotations

from enum import IntEnum

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from cancel_core.errors import CancelCoreError, ServiceUnavailable


class Exit(IntEnum):
    """The meaning of the program's exit code. docs/operating.md has the table."""

    DONE = 0
    REFUSED = 1
    """The request is refused, the item does not exist, or the config's validator refuses the edit."""
    USAGE = 2
    AWS = 3
    """AWS, or the local stack, can't be reached or denies access."""
    UNANSWERED = 4
    """It is written, and there is no answer within the timeout."""
    INTERRUPTED = 130


class Unreachable(CancelCoreError):
    """AWS, or the local stack, can't be reached, or lacks something. The message says what to do."""


SIGN_IN = "sign in (`aws sso login`, or set AWS_PROFILE), or use --local for the stack of `make run`"
SIGN_IN_AGAIN = "Sign in again (`aws sso login`) and repeat the command."
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "AuthFailure",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})


def explained(error: BaseException) -> tuple[str, Exit] | None:
    """One line for a person, and the exit code; None for a defect of the program."""
    match error:
        case Unreachable():
            return _line(error), Exit.AWS
        case ServiceUnavailable():
            return (explained(error.__cause__) if error.__cause__ else None) or (_line(error), Exit.AWS)
        case CancelCoreError() | OSError():
            return _line(error), Exit.REFUSED
        case ClientError():
            return _answered(error), Exit.AWS
        case BotoCoreError():
            return _not_asked(error), Exit.AWS
    return None


def _not_asked(error: BotoCoreError) -> str:
    match error:
        case exceptions.NoRegionError():
            return "No AWS region is set: use --region or set AWS_REGION, or use --local for the stack of `make run`."
        case exceptions.ProfileNotFound():
            return f"{_line(error)}: see `aws configure list-profiles`."
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return f"No AWS credentials were found: {SIGN_IN}."
        case (
            exceptions.SSOError()
            | exceptions.TokenRetrievalError()
            | exceptions.LoginError()
            | exceptions.CredentialRetrievalError()
        ):
            return f"The AWS session has expired or can't be used ({_line(error)}). {SIGN_IN_AGAIN}"
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return f"AWS can't be reached: {_line(error)}"
    return _line(error)


def _answered(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return f"The AWS session has expired. {SIGN_IN_AGAIN}"
    if code in _UNKNOWN:
        return f"AWS does not know these credentials ({code}): {SIGN_IN}."
    if code in _DENIED:
        return f"You lack a right that this command needs: {_flat(message)}"
    return f"AWS refused {error.operation_name}: {code}: {_flat(message)}"


def _line(error: BaseException) -> str:
    return _flat(str(error)) or type(error).__name__


def _flat(text: str) -> str:
    return " ".join(text.split())
