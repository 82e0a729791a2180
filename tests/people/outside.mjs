// A real OpenID provider, and people who sign in to Playhead with it:
//   node outside.mjs
// Prints the issuer, then reads the address of a server that trusts it (client `playhead`, `shared`
// and `elliptic`; RS256 only) from standard input. Prints a line for each step.

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Provider } from 'oidc-provider';
import { App, codeOf, ERRORS, TOKENS } from './app.mjs';

const REDIRECT = 'https://app.example/signed-in';
// A server asks a provider for keys at most once in 30 seconds.
const PATIENCE_MS = 60_000;

function key(type, options, alg) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
}

const keys = () => [
  key('rsa', { modulusLength: 2048 }, 'RS256'),
  key('ec', { namedCurve: 'P-256' }, 'ES256'),
];

const client = (client_id, id_token_signed_response_alg) => ({
  client_id,
  client_secret: 'a secret that is long enough for HS256',
  grant_types: ['implicit'],
  response_types: ['id_token'],
  redirect_uris: [REDIRECT],
  id_token_signed_response_alg,
});

/** A provider of its own; `verified` says whether it vouches for addresses. */
class Outside {
  static async listen(port = 0) {
    const outside = new Outside();
    outside.server = createServer();
    outside.server.listen(port, '127.0.0.1');
    await once(outside.server, 'listening');
    outside.port = outside.server.address().port;
    outside.issuer = `http://127.0.0.1:${outside.port}`;
    outside.rotate();
    return outside;
  }

  /** Begins to sign with new keys; the former ones are gone. */
  rotate() {
    this.provider = new Provider(this.issuer, {
      clients: [
        client('playhead', 'RS256'),
        client('stranger', 'RS256'),
        client('shared', 'HS256'),
        client('elliptic', 'ES256'),
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      responseTypes: ['id_token'],
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
      cookies: { keys: ['a key for cookies'] },
      jwks: { keys: keys() },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({
          sub: id,
          email: `${id}@outside.example`,
          email_verified: !id.startsWith('unsure'),
        }),
      }),
    });
    this.server.removeAllListeners('request');
    this.server.on('request', this.provider.callback());
  }

  /** Signs somebody in as a browser does; answers the ID token. */
  async signIn(login, client_id) {
    const cookies = new Map();
    const follow = async (address, form) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(new URL(address, this.issuer), {
        method: form ? 'POST' : 'GET',
        body: form && new URLSearchParams(form),
        headers: { cookie },
        redirect: 'manual',
      });
      for (const set of response.headers.getSetCookie()) {
        const [, name, value] = set.match(/^([^=]+)=([^;]*)/);
        cookies.set(name, value);
      }
      const location = response.headers.get('location');
      assert.ok(location, `${address}: ${response.status} ${await response.text()}`);
      return location;
    };
    const nonce = randomUUID();
    const wanted = { client_id, response_type: 'id_token', scope: 'openid email', nonce };
    let location = await follow(
      `/auth?${new URLSearchParams({ ...wanted, redirect_uri: REDIRECT })}`,
    );
    const prompts = [{ prompt: 'login', login, password: 'any' }, { prompt: 'consent' }];
    while (!location.startsWith(REDIRECT)) {
      const asks = location.includes('/interaction/');
      location = await follow(location, asks ? prompts.shift() : undefined);
    }
    const answer = new URLSearchParams(new URL(location).hash.slice(1));
    assert.ok(answer.get('id_token'), location);
    return answer.get('id_token');
  }
}

const outside = await Outside.listen();
console.log(outside.issuer);
const [url] = await once(createInterface({ input: process.stdin }), 'line');

/** Shows a token to the server; answers the code of the refusal or the tokens. */
async function show(idToken, app = new App(url), issuer = outside.issuer) {
  const document = `mutation($input: SignInWithProviderInput!) {
    signInWithProvider(input: $input) { ${TOKENS} ${ERRORS} } }`;
  const result = await app.result(document, {
    input: { issuer, idToken, deviceId: app.deviceId },
  });
  if (result.error) return codeOf(result);
  const { tokens, errors } = result.data.signInWithProvider;
  app.tokens = tokens;
  return errors[0]?.code ?? tokens;
}

async function step(what, does) {
  await does();
  console.log(`ok ${what}`);
}

await step('a person gets an account and comes back to it', async () => {
  const app = new App(url);
  const first = await show(await outside.signIn('ada', 'playhead'), app);
  assert.equal(first.newAccount, true, JSON.stringify(first));
  const { me } = await app.ask('{ me { email status providers hasPassword } }');
  const known = { status: 'ACTIVE', providers: [outside.issuer], hasPassword: false };
  assert.deepEqual(me, { email: 'ada@outside.example', ...known });
  const again = await show(await outside.signIn('ada', 'playhead'));
  assert.deepEqual([again.newAccount, again.accountId], [false, first.accountId]);
});

await step('tokens for others, of others and of other algorithms are refused', async () => {
  assert.equal(await show(await outside.signIn('bea', 'stranger')), 'OUTSIDE_TOKEN_INVALID');
  assert.equal(await show(await outside.signIn('bea', 'shared')), 'OUTSIDE_TOKEN_INVALID');
  assert.equal(await show(await outside.signIn('bea', 'elliptic')), 'OUTSIDE_TOKEN_INVALID');
  const other = await Outside.listen();
  const foreign = await other.signIn('bea', 'playhead');
  assert.equal(await show(foreign), 'OUTSIDE_TOKEN_INVALID');
  assert.equal(await show(foreign, new App(url), other.issuer), 'UNKNOWN_ISSUER');
  other.server.close();
});

await step('tokens that were altered are refused', async () => {
  const token = await outside.signIn('bea', 'playhead');
  const [header, claims, signature] = token.split('.');
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const ada = encode({ ...decode(claims), sub: 'ada' });
  const unsigned = encode({ ...decode(header), alg: 'none' });
  const forged = [
    `${header}.${ada}.${signature}`,
    `${unsigned}.${claims}.`,
    `${header}.${claims}.${signature.slice(0, -8)}AAAAAAAA`,
    `${header}.${claims}`,
    '',
  ];
  for (const idToken of forged) {
    assert.equal(await show(idToken), 'OUTSIDE_TOKEN_INVALID', idToken);
  }
});

await step('an address that the provider does not vouch for opens nothing', async () => {
  const token = await outside.signIn('unsure', 'playhead');
  assert.equal(await show(token), 'OUTSIDE_EMAIL_NEEDED');
});

await step('new keys of the provider are fetched, and those that it dropped are not believed', async () => {
  const before = await outside.signIn('ada', 'playhead');
  assert.equal((await show(before)).newAccount, false);
  outside.rotate();
  const after = await outside.signIn('ada', 'playhead');
  const until = Date.now() + PATIENCE_MS;
  let shown = await show(after);
  while (typeof shown === 'string' && Date.now() < until) {
    assert.ok(['OVERLOADED', 'OUTSIDE_TOKEN_INVALID'].includes(shown), shown);
    await pause(500);
    shown = await show(after);
  }
  assert.equal(shown.newAccount, false, JSON.stringify(shown));
  assert.equal(await show(before), 'OUTSIDE_TOKEN_INVALID');
});

console.log('done');
process.exit(0);
