"""All mails that the stack sends under load, each read once."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections import Counter, defaultdict
from typing import Any

import httpx

from tests.support.aws import StackInfo
from tests.support.client import PLAIN

EVERY_SECONDS = 0.2
CODE = re.compile(r"^ {4}([0-9]{6})$", re.MULTILINE)
WITHDRAWAL = re.compile(r"\bwdr_[0-9a-f]{32}\b")


class Mailbox:
    """`times`: how often each mail was sent, by mail_id. `receipts`: the texts of withdrawals' receipts, by mail_id;
    `received`: the withdrawals they are of, with the Unix time at which they were seen.
    """

    def __init__(self, info: StackInfo) -> None:
        self.times: Counter[str] = Counter()
        self.receipts: dict[str, str] = {}
        self.received: dict[str, float] = {}
        self.faults: list[str] = []
        self._codes: defaultdict[str, queue.Queue[str]] = defaultdict(queue.Queue)
        self._http = httpx.Client(base_url=info.endpoint_url, timeout=60, trust_env=False, verify=PLAIN)
        self._newest = next((mail["message_id"] for mail in self._mails()), None)
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Mailbox:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._reader.join()
        self._http.close()

    def code(self, address: str, seconds: float) -> str | None:
        """The next code that is mailed to this address; None where none comes within that time."""
        try:
            return self._codes[address].get(timeout=seconds)
        except queue.Empty:
            return None

    def _mails(self, after: str | None = None) -> list[dict[str, Any]]:
        answer = self._http.get("/local/mails", params={"after": after} if after else {})
        answer.raise_for_status()
        mails: list[dict[str, Any]] = answer.json()["mails"]
        return mails

    def _read(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                mails = self._mails(self._newest)
            except httpx.HTTPError as error:
                self.faults.append(f"the mails could not be read: {type(error).__name__}")
                continue
            for mail in reversed(mails):
                self._take(mail)
            if mails:
                self._newest = mails[0]["message_id"]

    def _take(self, mail: dict[str, Any]) -> None:
        self.times[mail["mail_id"]] += 1
        if mail["kind"] == "guest_code" and (code := CODE.search(mail["text"])):
            self._codes[mail["to"]].put(code[1])
        if mail["kind"] == "withdrawal_receipt" and (found := WITHDRAWAL.search(mail["text"])):
            self.receipts[mail["mail_id"]] = mail["text"]
            self.received.setdefault(found[0], time.time())
