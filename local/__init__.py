"""The whole product on one machine, built from template.yaml: see local/README.md.

Each folder stands for one of AWS's own parts: ``gateway`` the HTTP API, ``event_sources`` what calls a function without
a client, ``runtime`` Lambda itself, ``aws`` the services behind the functions. ``gateway`` and ``event_sources`` use
``runtime``; ``aws`` uses none of them.

``stack.py`` joins them as the template says (``template.py``), ``demo.py`` has the demo data, ``__main__.py`` is the
program. ``server.py``, ``guard.py``, ``alone.py`` and ``errors.py`` are what several folders need and no part of AWS
has. Nothing that is deployed belongs here, and nothing that is deployed imports this.
"""
