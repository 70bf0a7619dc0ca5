// A certified OpenID provider on a loopback port of its own choice, for tests.
//
// Its access tokens are JWTs of type `at+jwt` (RFC 9068) for made-up APIs, which differ in the algorithm; so do its clients, in
// that of their ID tokens. Whoever asks is logged in as `ada`, without a question. It says where it listens with one line on
// standard output, `ready <issuer>`, and keeps everything in memory: keys are new at each start.

import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
const APIS = Object.fromEntries(ALGORITHMS.map((alg) => [`https://${alg.toLowerCase()}.api.test`, alg]));
// Nobody listens there: who is sent there is at the end of the way.
const REDIRECT_URI = 'http://127.0.0.1:9/callback';

const key = async (alg, kid) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
};
const keys = await Promise.all(ALGORITHMS.map((alg) => key(alg, `${alg}-1`)));

const configuration = {
  jwks: { keys },
  clients: [{
    client_id: 'service',
    client_secret: process.env.CLIENT_SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }, ...ALGORITHMS.map((alg) => ({
    client_id: `login-${alg}`,
    client_secret: process.env.CLIENT_SECRET,
    grant_types: ['authorization_code'],
    id_token_signed_response_alg: alg,
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
  }))],
  findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_context, { uid }) => `/login/${uid}` },
  pkce: { required: () => false },
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

const logIn = async (provider, request, response) => {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: 'ada', clientId: params.client_id });
  grant.addOIDCScope('openid');
  const result = { login: { accountId: 'ada' }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
};

// The issuer holds the port, so the provider is made once the port is known.
const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const rest = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/login/')) return rest(request, response);
    return logIn(provider, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  console.log(`ready ${issuer}`);
});
