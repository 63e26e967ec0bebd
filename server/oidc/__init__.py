"""Signing in by the site's own identity provider: OpenID Connect, as an extra.

OpenID Connect Core 1.0, the authorization code flow, with PKCE (RFC 7636), state,
nonce, and the issuer in the answer (RFC 9207). ``pending`` is who is under way,
``tokens`` what an ID token says, ``provider`` speaks with the provider.
"""
