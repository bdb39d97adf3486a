"""localstripe, as a process of its own: ``python -m local.aws.stripe_server PORT``.

Two things are otherwise than in its own program:

- It writes all it knows into one file of the temporary folder, several times for each request: ever slower (a payment
  took 90 ms once there were a thousand), and the file is left behind. Here it keeps it in memory alone.
- It listens on every address of the machine, and tells each request. Here it listens on the loopback, and is quiet.
"""

from __future__ import annotations

import sys

from localstripe.resources import Store
from localstripe.server import app, web


def main(port: int) -> None:
    """Serve until killed."""
    Store.dump_to_disk = lambda _self: None
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
