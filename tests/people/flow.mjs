// What a new user does, from registering to leaving, as an app does it:
//   node flow.mjs http://127.0.0.1:8480 DATA/mail TITLE_ID
// Prints a line for each step, and at the end a line of JSON: the account that asked to be erased,
// its address, and the tokens that it had.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { App, codeOf, Mailbox, TOKENS } from './app.mjs';

const [url, mailDirectory, titleId] = process.argv.slice(2);
if (!titleId) {
  console.error('usage: node flow.mjs URL MAIL_DIRECTORY TITLE_ID');
  process.exit(2);
}

const email = `ada.${randomUUID().slice(0, 8)}@example.org`;
const password = 'a lighthouse keeper’s lunch';
const mailbox = new Mailbox(mailDirectory);
const phone = new App(url);
let profileId;

async function registersAndVerifies() {
  const weak = await phone.refused('INVALID_INPUT', 'register', 'email', { email, password: 'x' });
  assert.equal(weak.field, 'password');
  const consents = [{ purpose: 'MARKETING_EMAIL', policyVersion: 1 }];
  await phone.did('register', 'email', { email, password, consents });
  const code = await mailbox.code(email);
  const early = { email, password, deviceId: phone.deviceId };
  await phone.refused('EMAIL_NOT_VERIFIED', 'signIn', TOKENS, early);
  await phone.refused('CODE_INVALID', 'verifyEmail', 'accountId', { code: 'nonsense' });
  await phone.did('verifyEmail', 'accountId', { code });
  // The same address again is answered alike; only its mail tells more.
  await phone.did('register', 'email', { email: email.toUpperCase(), password });
  assert.match(await mailbox.next(email), /You have an account/i);
}

async function signsIn() {
  const wrong = { email, password: `${password}!`, deviceId: phone.deviceId };
  const unknown = { ...wrong, email: 'nobody@example.org' };
  const told = await phone.refused('WRONG_CREDENTIALS', 'signIn', TOKENS, wrong);
  assert.deepEqual(await phone.refused('WRONG_CREDENTIALS', 'signIn', TOKENS, unknown), told);
  assert.ok(await phone.isOut());
  await phone.signIn(email, password);
  const { me } = await phone.ask(`{ me { id email status roles hasPassword
    signIns { deviceId current } consents { purpose policyVersion } erasureDueAt } }`);
  assert.equal(me.email, email);
  assert.equal(me.status, 'ACTIVE');
  assert.deepEqual(me.roles, ['VIEWER']);
  assert.deepEqual(me.signIns, [{ deviceId: phone.deviceId, current: true }]);
  assert.deepEqual(me.consents, [{ purpose: 'MARKETING_EMAIL', policyVersion: 1 }]);
  assert.equal(me.erasureDueAt, null);
}

async function addsProfiles() {
  const ada = { name: 'Ada', favouriteGenres: ['Drama'], avatar: 'owl' };
  profileId = (await phone.did('addProfile', 'profile { id }', ada)).profile.id;
  const kids = await phone.did('addProfile', 'profile { kids maturityMax }', {
    name: 'Bea',
    kids: true,
  });
  assert.deepEqual(kids.profile, { kids: true, maturityMax: 'FROM_7' });
  const invalid = await phone.refused('INVALID_INPUT', 'addProfile', 'profile { id }', {
    name: '',
  });
  assert.equal(invalid.field, 'name');
  assert.ok(invalid.rule);
  const same = { name: 'Ada' };
  await phone.refused('NAME_TAKEN', 'addProfile', 'profile { id }', same);
  for (const name of ['Cleo', 'Dan', 'Eva']) {
    await phone.did('addProfile', 'profile { id }', { name });
  }
  await phone.refused('TOO_MANY_PROFILES', 'addProfile', 'profile { id }', { name: 'Finn' });
  const pin = { profileId, pin: '4071' };
  const { profile } = await phone.did('setProfilePin', 'profile { hasPin }', pin);
  assert.ok(profile.hasPin);
}

const PLAYBACK = 'playback { sessionId token heartbeatIntervalMs title { name } }';
const start = { titleId, device: 'Ada’s phone', deviceKind: 'PHONE' };

async function plays() {
  const wish = { ...start, profileId };
  await phone.refused('NOT_SUBSCRIBED', 'startPlayback', PLAYBACK, wish);
  await phone.did('subscribe', 'account { plan streamsMax }', { plan: 'BASIC' });
  await phone.refused('PIN_REQUIRED', 'startPlayback', PLAYBACK, wish);
  await phone.refused('WRONG_PIN', 'startPlayback', PLAYBACK, { ...wish, pin: '0000' });
  const { playback } = await phone.did('startPlayback', PLAYBACK, { ...wish, pin: '4071' });
  assert.equal(playback.heartbeatIntervalMs, 30_000);
  const { token } = playback;
  const beat = { token, positionMs: 600_000, playedMs: 600_000, durationMs: 6_000_000 };
  const live = phone.subscribe(
    'subscription($id: ID!) { progress(profileId: $id) { positionMs sequence } }',
    { id: profileId },
  );
  const told = live.next();
  // The first heartbeats may be recorded before the subscription has begun.
  let sequence = 0;
  let heard;
  while (!heard) {
    await phone.heartbeat({ ...beat, sequence: ++sequence });
    heard = await Promise.race([told, new Promise((next) => setTimeout(next, 100))]);
  }
  assert.equal(heard.data.progress.positionMs, 600_000, JSON.stringify(heard));
  live.close();
  const query = `query($id: ID) { me { devices { id name kind } }
    viewer { profile(id: $id) { continueWatching { nodes { title { id } positionMs } } } } }`;
  const { me, viewer } = await phone.ask(query, { id: profileId });
  assert.deepEqual(me.devices, [{ id: phone.deviceId, name: start.device, kind: 'PHONE' }]);
  const row = viewer.profile.continueWatching.nodes;
  assert.deepEqual(row, [{ title: { id: titleId }, positionMs: 600_000 }]);
  return playback;
}

async function takesOver(tablet, playing) {
  await tablet.signIn(email, password);
  const wish = { ...start, profileId, pin: '4071', device: 'Tablet', deviceKind: 'TABLET' };
  const full = await tablet.payload(
    'startPlayback',
    `${PLAYBACK} facts: errors { ... on TooManyStreams { limit playing { sessionId device } } }`,
    wish,
  );
  assert.equal(full.errors[0].code, 'TOO_MANY_STREAMS');
  const held = { limit: 1, playing: [{ sessionId: playing.sessionId, device: start.device }] };
  assert.deepEqual(full.facts, [held]);
  const old = phone.subscribe(
    `subscription($token: String!) { playbackEnded(playbackToken: $token) {
      sessionId reason bySessionId byDevice } }`,
    { token: playing.token },
  );
  const told = old.next();
  const taken = { ...wish, takeOver: playing.sessionId };
  const { playback } = await tablet.did('startPlayback', PLAYBACK, taken);
  // It comes whether or not the subscription had begun by then.
  assert.deepEqual((await told).data?.playbackEnded, {
    sessionId: playing.sessionId,
    reason: 'TAKEN_OVER',
    bySessionId: playback.sessionId,
    byDevice: 'Tablet',
  });
  old.close();
}

async function removesDevice(tablet) {
  const name = { deviceId: tablet.deviceId, name: 'Kitchen' };
  const renamed = await phone.did('renameDevice', 'device { name }', name);
  assert.equal(renamed.device.name, 'Kitchen');
  const stolen = tablet.tokens;
  await phone.did('removeDevice', 'deviceId', { deviceId: tablet.deviceId });
  assert.ok(await tablet.isOut(), 'a removed device is out at once');
  const refresh = { refreshToken: stolen.refreshToken };
  const late = await tablet.result(
    `mutation($input: RefreshSignInInput!) { refreshSignIn(input: $input) {
      ${TOKENS} errors { code } } }`,
    { input: refresh },
  );
  assert.ok(late.data === undefined || late.data.refreshSignIn.errors.length === 1);
  return stolen.accessToken;
}

async function refreshes() {
  const laptop = new App(url);
  const first = await laptop.signIn(email, password);
  const exchange = (refreshToken) => ['refreshSignIn', TOKENS, { refreshToken }];
  const second = (await laptop.did(...exchange(first.refreshToken))).tokens;
  assert.notEqual(second.refreshToken, first.refreshToken);
  assert.equal(second.signInId, first.signInId);
  laptop.tokens = second;
  assert.ok(!(await laptop.isOut()));
  // Somebody uses the first one again: one of the two has stolen it, so both are out.
  laptop.tokens = null;
  await laptop.refused('SIGN_IN_ENDED', ...exchange(first.refreshToken));
  await laptop.refused('SIGN_IN_ENDED', ...exchange(second.refreshToken));
  laptop.tokens = second;
  assert.ok(await laptop.isOut(), 'the access token of the family is void too');
  laptop.tokens = null;
  await laptop.refused('REFRESH_TOKEN_INVALID', ...exchange('prt1_nonsense'));
}

async function signsOut() {
  const laptop = new App(url);
  await laptop.signIn(email, password);
  await laptop.did('signOut', 'signInId', {});
  assert.ok(await laptop.isOut(), 'at once, not when the token expires');
}

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

async function letsTelevisionIn() {
  const tv = new App(url);
  const client = { client_id: tv.deviceId };
  const asked = (await tv.post('/oauth/device_authorization', client)).body;
  assert.ok(asked.expires_in > 0 && asked.interval >= 5, JSON.stringify(asked));
  assert.match(asked.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
  const userCode = asked.user_code.toLowerCase();
  const waiting = 'query($code: String!) { waitingDevice(userCode: $code) { kind } }';
  const shown = await phone.ask(waiting, { code: userCode });
  assert.deepEqual(shown.waitingDevice, { kind: 'TV' });
  await phone.did('approveDevice', 'userCode', { userCode });
  const grant = { ...client, grant_type: DEVICE_CODE, device_code: asked.device_code };
  const granted = await tv.post('/oauth/token', grant);
  assert.equal(granted.status, 200, JSON.stringify(granted));
  tv.tokens = { accessToken: granted.body.access_token };
  assert.equal((await tv.ask('{ me { email } }')).me.email, email);
  const refresh = { grant_type: 'refresh_token', refresh_token: granted.body.refresh_token };
  assert.equal((await tv.post('/oauth/token', { ...client, ...refresh })).status, 200);
  const twice = await tv.post('/oauth/token', grant);
  assert.deepEqual([twice.status, twice.body.error], [400, 'invalid_grant']);
}

async function keepsTelevisionOut() {
  const tv = new App(url);
  const client = { client_id: tv.deviceId };
  const asked = (await tv.post('/oauth/device_authorization', client)).body;
  const poll = async () => {
    const grant = { ...client, grant_type: DEVICE_CODE, device_code: asked.device_code };
    const { status, body } = await tv.post('/oauth/token', grant);
    return [status, body.error];
  };
  assert.deepEqual(await poll(), [400, 'authorization_pending']);
  assert.deepEqual(await poll(), [400, 'slow_down']);
  await phone.did('denyDevice', 'userCode', { userCode: asked.user_code });
  assert.deepEqual(await poll(), [400, 'access_denied']);
}

async function choosesNewPassword() {
  const newPassword = 'three green bottles standing';
  const wrong = { currentPassword: 'not it at all', newPassword };
  await phone.refused('WRONG_PASSWORD', 'changePassword', 'me { id }', wrong);
  const before = phone.tokens;
  await phone.did('requestPasswordReset', 'email', { email });
  const code = await mailbox.code(email);
  await phone.did('resetPassword', 'reset', { code, newPassword });
  assert.match(await mailbox.next(email), /password for Playhead was changed/);
  phone.tokens = before;
  assert.ok(await phone.isOut(), 'all sign-ins of before are over');
  phone.tokens = null;
  await phone.signIn(email, newPassword);
  return newPassword;
}

async function exportsEverything() {
  await phone.did('setBillingAddress', 'me { billingAddress { country lines } }', {
    country: 'AT',
    lines: ['Ada Example', 'Gasse 1', '1010 Wien'],
  });
  const headers = phone.headers();
  assert.equal((await fetch(`${url}/me/export`)).status, 401);
  const response = await fetch(`${url}/me/export`, { headers });
  assert.equal(response.status, 200);
  const text = await response.text();
  for (const mine of [email, 'Ada', 'Bea', 'Gasse 1', 'Ada’s phone', 'AccountRegistered']) {
    assert.ok(text.includes(mine), mine);
  }
  for (const secret of ['$argon2', '$sealed', '$personal', password]) {
    assert.ok(!text.includes(secret), secret);
  }
}

/** Does something until it is refused for being too much; answers how often it was done. */
async function untilLimited(what) {
  for (let times = 0; times < 100; times += 1) {
    const result = await what();
    if (codeOf(result) !== 'RATE_LIMITED') continue;
    assert.equal(result.error.response.status, 429);
    const wait = Number(result.error.response.headers.get('retry-after'));
    assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 3_600, `${wait}`);
    return times;
  }
  throw new Error('there is no limit');
}

async function meetsLimits() {
  const nobody = new App(url);
  const register = (input) => `mutation($input: RegisterInput!) {
    register(input: $input) { email errors { code } } }`;
  const registered = await untilLimited(() => {
    const input = { email: `${randomUUID()}@example.org`, password };
    return nobody.result(register(), { input });
  });
  assert.ok(registered <= 10, `${registered}`);
  const signedIn = await untilLimited(() => {
    const input = { email, password: 'a wrong password', deviceId: nobody.deviceId };
    return nobody.result(
      'mutation($input: SignInInput!) { signIn(input: $input) { errors { code } } }',
      { input },
    );
  });
  assert.ok(signedIn <= 20, `${signedIn}`);
}

async function asksToBeErased() {
  const asked = await phone.did('eraseMe', 'me { erasureDueAt }', {});
  assert.ok(asked.me.erasureDueAt);
  assert.match(await mailbox.next(email), /will be erased/);
}

async function step(what, does) {
  const answer = await does();
  console.log(`ok ${what}`);
  return answer;
}

const tablet = new App(url);
await step('registers and verifies', registersAndVerifies);
await step('signs in', signsIn);
await step('adds profiles and a PIN', addsProfiles);
const playing = await step('subscribes and plays', plays);
await step('takes a stream over', () => takesOver(tablet, playing));
const removed = await step('removes a device', () => removesDevice(tablet));
await step('refreshes, and reuse ends it all', refreshes);
await step('signs out', signsOut);
await step('lets a television in', letsTelevisionIn);
await step('keeps a television out', keepsTelevisionOut);
const newPassword = await step('chooses a new password', choosesNewPassword);
await step('exports everything', exportsEverything);
await step('meets limits', meetsLimits);
await step('asks to be erased', asksToBeErased);
const { accountId, accessToken, refreshToken } = phone.tokens;
const left = { accountId, email, password: newPassword, accessToken, refreshToken, removed };
console.log(JSON.stringify(left));
