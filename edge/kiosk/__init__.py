"""The station's screen, as a page that the station itself serves on loopback.

``panel`` keeps the `Screen` up to date, ``server`` serves the page of ``assets`` and
tells it of each new one, ``guard`` says who may ask. The page works with the server
down, loads nothing from any other host, and says itself when its station is not there.
"""

from edge.kiosk.assets import page
from edge.kiosk.panel import DEVICE, Panel
from edge.kiosk.server import Kiosk

__all__ = ["DEVICE", "Kiosk", "Panel", "page"]
