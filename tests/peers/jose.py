"""An independent JOSE peer: PyJWT and joserfc sign and verify on request.

One JSON request a line on standard input, one JSON answer a line on standard output:

    {"do": "key",    "by": library, "kid": k, "alg": a}                          -> {"ok": true, "jwk": public JWK}
    {"do": "sign",   "by": library, "kid": k, "header": {}, "claims": {}}        -> {"ok": true, "token": text}
    {"do": "verify", "by": library, "jwks": {}, "alg": a, "token": text,
                     "issuer": i, "audience": a}                                 -> {"ok": true, "claims": {}}

The key of an HMAC is a secret, so that its JWK is no public one. What a library refuses is {"ok": false, "error": its
exception's name}. Anything else that goes wrong ends the process.
"""

import json
import sys

import jwt
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt
from joserfc.errors import JoseError

KEYS = {}


def generate(request):
    kid, alg = request["kid"], request["alg"]
    parameters = {"kid": kid, "alg": alg, "use": "sig"}
    match alg:
        case "ES256":
            key = jose_jwk.ECKey.generate_key("P-256", parameters, private=True)
        case "ES384":
            key = jose_jwk.ECKey.generate_key("P-384", parameters, private=True)
        case "EdDSA" | "Ed25519":
            key = jose_jwk.OKPKey.generate_key("Ed25519", parameters, private=True)
        case "HS256" | "HS384" | "HS512":
            key = jose_jwk.OctKey.generate_key(int(alg[2:]), parameters)
        case _:
            key = jose_jwk.RSAKey.generate_key(2048, parameters, private=True)
    KEYS[kid] = (alg, key.as_dict(private=True))
    return {"jwk": key.as_dict(private=alg.startswith("HS"))}


def sign(request):
    alg, key = KEYS[request["kid"]]
    header = {"alg": alg, "kid": request["kid"], **request["header"]}
    claims = request["claims"]
    if request["by"] == "pyjwt":
        return {"token": jwt.encode(claims, jwt.PyJWK(key, alg).key, algorithm=alg, headers=header)}
    return {"token": jose_jwt.encode(header, claims, jose_jwk.import_key(key), algorithms=[alg])}


def verify(request):
    alg, token = request["alg"], request["token"]
    issuer, audience = request["issuer"], request["audience"]
    if request["by"] == "pyjwt":
        options = {"require": ["exp", "iat", "iss", "aud", "sub"]}
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(key for key in request["jwks"]["keys"] if key["kid"] == kid)
        return {"claims": jwt.decode(token, jwt.PyJWK(key, alg), [alg], options, audience=audience, issuer=issuer)}
    keys = jose_jwk.KeySet.import_key_set(request["jwks"])
    decoded = jose_jwt.decode(token, keys, algorithms=[alg])
    registry = jose_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    registry.validate(decoded.claims)
    return {"claims": decoded.claims}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        work = {"key": generate, "sign": sign, "verify": verify}[request["do"]]
        try:
            answer = {"ok": True, **work(request)}
        except (jwt.PyJWTError, JoseError) as refused:
            answer = {"ok": False, "error": type(refused).__name__}
        print(json.dumps(answer), flush=True)


main()
