// A certified OpenID provider on a loopback port of its own choice, for tests.
//
// Its access tokens are JWTs of type `at+jwt` (RFC 9068) for two made-up APIs, which differ in the algorithm. It says where it
// listens with one line on standard output, `ready <issuer>`, and keeps everything in memory: keys are new at each start.

import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const APIS = { 'https://es256.api.test': 'ES256', 'https://eddsa.api.test': 'EdDSA' };

const key = async (alg, kid, options) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
};
const keys = [
  await key('RS256', 'rsa-1'),
  await key('ES256', 'ec-1'),
  await key('EdDSA', 'ed-1', { crv: 'Ed25519' }),
];

const configuration = {
  jwks: { keys },
  clients: [{
    client_id: 'service',
    client_secret: process.env.CLIENT_SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }],
  cookies: { keys: [process.env.CLIENT_SECRET] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => {
        if (!(resource in APIS)) throw new Error('no such API');
        return {
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          audience: resource,
          jwt: { sign: { alg: APIS[resource] } },
          scope: 'read write',
        };
      },
    },
  },
};

// The issuer holds the port, so the provider is made once the port is known.
const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration).callback());
  console.log(`ready ${issuer}`);
});
