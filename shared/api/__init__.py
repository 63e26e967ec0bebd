"""What readers, and people's programs, ask over HTTP and are answered.

Contract, section 7: one module a subject, like the handlers in ``server.api``.
"""
