"""A warehouse that lives, for the demo: simulated stations speak the real protocol.

``places`` is what the site has, ``day`` is what happens there, as pure as a table;
``station`` signs and sends it, and ``simulation`` lets time pass. Whatever is simulated
says so: the stations by their names, the items by ``SIM`` in their codes.
"""

from server.client.living.simulation import Living

__all__ = ["Living"]
