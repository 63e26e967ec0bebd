"""An identity provider for tests: what it says can be made wrong, claim by claim."""

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "scantrail", "s:cr et"


@dataclass
class IdentityProvider:
    """Signs in whoever comes, as ``claims`` say."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    header: dict[str, Any] = field(default_factory=dict)
    describes: dict[str, Any] = field(default_factory=dict)
    now: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    exchanged: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: Any = field(
        default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"})
    )
    published: Any = None

    def leads_back(self, query: dict[str, str]) -> dict[str, str]:
        """Do what its page would: return what the browser brings back."""
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.url}

    async def described(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.describes,
            }
        )

    async def keys(self, _: web.Request) -> web.Response:
        key = self.published or self.key
        shown = key.as_dict(private=False)
        odd = {"kty": "unheard of", "kid": "odd"}
        return web.json_response({"keys": [odd, shown]})

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.exchanged.append(form)
        query = self.codes.pop(form["code"], None)
        basic = base64.b64encode(b"scantrail:s%3Acr%20et").decode()
        if request.headers.get("Authorization") != f"Basic {basic}" or query is None:
            return web.json_response({"error": "invalid_client"}, status=401)
        digest = sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = form["redirect_uri"] == query["redirect_uri"]
        if challenge != query["code_challenge"] or not same:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"id_token": self._id_token(query)})

    def _id_token(self, query: dict[str, str]) -> str:
        now = self.now or int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "1",
            "exp": now + 300,
            "iat": now,
            "nonce": query["nonce"],
            **self.claims,
            **self.changed,
        }
        claims = {k: v for k, v in claims.items() if k not in self.without}
        header = {"alg": "ES256", "kid": "one", **self.header}
        if header["alg"] == "none":
            return unsigned(header, claims)
        return jwt.encode(header, claims, self.key, [header["alg"]])

    @asynccontextmanager
    async def running(self) -> AsyncIterator["IdentityProvider"]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.described)
        app.router.add_get("/keys", self.keys)
        app.router.add_post("/token", self.token)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a token with the algorithm none."""
    import json  # noqa: PLC0415

    parts = [json.dumps(part).encode() for part in (header, claims)]
    written = [base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts]
    return ".".join([*written, ""])


def shared_secret() -> OctKey:
    """Return a key that a forger might take: what is public, as a secret."""
    return OctKey.import_key(CLIENT.ljust(32, "x"), {"kid": "one"})


def other_key() -> RSAKey:
    """Return somebody else's key."""
    return RSAKey.generate_key(2048, {"kid": "one"})
