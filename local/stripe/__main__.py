"""`python -m local.stripe PORT`: serves until it is killed."""

from __future__ import annotations

import sys

from local.stripe.server import StripeServer

if __name__ == "__main__":
    StripeServer(int(sys.argv[1])).serve()
