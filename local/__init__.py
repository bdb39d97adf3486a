"""The whole product on one machine, built from template.yaml: see local/README.md.

Each folder replaces one part of AWS: ``gateway`` the HTTP API, ``event_sources`` the sources that invoke functions
without a client, ``runtime`` Lambda itself, ``aws`` the services behind the functions. ``gateway`` and
``event_sources`` use ``runtime``; ``aws`` uses none of them.

``stack.py`` connects them according to the template (``template.py``), ``demo.py`` has the demo data, ``__main__.py``
is the program. ``server.py``, ``guard.py``, ``alone.py`` and ``errors.py`` are shared code without a counterpart in
AWS. Nothing here is deployed, and deployed code does not import it.
"""
