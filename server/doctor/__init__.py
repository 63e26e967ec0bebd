"""``scantrail-server doctor``: what is wrong with a server, and what to do about it.

It looks and changes nothing, beside a server that runs or one that does not.
"""

from server.doctor.examination import add_commands, findings
from server.doctor.finding import Finding

__all__ = ["Finding", "add_commands", "findings"]
