"""The mail queues: sends mails to customers, guests and the shop, and records returned mails."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background
from cancel_core.entrypoints.guest_queue import comes_from, each_code
from cancel_core.entrypoints.mail_queue import each_message

send_mails = wiring.send_mails(Path(__file__).parent / "templates")
send_code_mails = wiring.send_code_mails(Path(__file__).parent / "templates")
note_returned = wiring.note_returned()


@background
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    deadline = wiring.now() + timedelta(milliseconds=context.get_remaining_time_in_millis())
    if comes_from(event, wiring.guest_mail_queue()):
        return each_code(
            event, lambda message: send_code_mails(message, deadline, wiring.now), wiring.postpone_code_mail
        )
    return each_message(
        event,
        lambda detail_type, detail: send_mails(detail_type, detail, deadline, wiring.now),
        lambda returned: note_returned(returned, wiring.now()),
        wiring.postpone_mail,
    )
