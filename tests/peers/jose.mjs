// An independent JOSE peer: npm's `jose` signs and verifies on request. It speaks as `jose.py` does, see there.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// The package lies where the servers of the tests are installed, not beside this file.
const installed = createRequire(`${process.env.BARTIZAN_TEST_NODE_MODULES}/`).resolve('jose');
const jose = await import(pathToFileURL(installed));

const KEYS = new Map();

const key = async ({ kid, alg }) => {
  const parameters = { kid, alg, use: 'sig' };
  if (alg.startsWith('HS')) {
    const secret = await jose.generateSecret(alg, { extractable: true });
    KEYS.set(kid, { alg, key: secret });
    return { jwk: { ...(await jose.exportJWK(secret)), ...parameters } };
  }
  const { publicKey, privateKey } = await jose.generateKeyPair(alg);
  KEYS.set(kid, { alg, key: privateKey });
  return { jwk: { ...(await jose.exportJWK(publicKey)), ...parameters } };
};

const sign = async ({ kid, header, claims }) => {
  const { alg, key } = KEYS.get(kid);
  return { token: await new jose.SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(key) };
};

const verify = async ({ jwks, alg, token, issuer, audience }) => {
  // A set of public keys is what it looks keys up in; a secret it takes alone.
  const [first] = jwks.keys;
  const keys = first.kty === 'oct' ? await jose.importJWK(first, alg) : jose.createLocalJWKSet(jwks);
  const options = { issuer, audience, algorithms: [alg], requiredClaims: ['sub', 'exp', 'iat'] };
  const { payload } = await jose.jwtVerify(token, keys, options);
  return { claims: payload };
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await { key, sign, verify }[request.do](request)) };
  } catch (refused) {
    if (!(refused instanceof jose.errors.JOSEError)) throw refused;
    answer = { ok: false, error: refused.code };
  }
  console.log(JSON.stringify(answer));
}
