// A client app: urql for queries and mutations, graphql-ws for subscriptions, and a mailbox.

import { Client, fetchExchange } from '@urql/core';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

// How long anything that happens after an answer may take, on a machine under load.
const PATIENCE_MS = 60_000;

export const ERRORS = 'errors { __typename code message ... on InvalidInput { field rule } }';

/** An installation of the app on a device. */
export class App {
  constructor(url) {
    this.url = url;
    this.deviceId = randomUUID();
    this.tokens = null;
    this.position = null;
    this.urql = new Client({
      url: `${url}/graphql`,
      exchanges: [fetchExchange],
      preferGetMethod: false,
      requestPolicy: 'network-only',
      fetchOptions: () => ({ headers: this.headers() }),
    });
  }

  headers() {
    const headers = {};
    if (this.tokens) headers.authorization = `Bearer ${this.tokens.accessToken}`;
    if (this.position) headers['playhead-position'] = this.position;
    return headers;
  }

  /** The whole result of an operation; asked again while the read models are behind. */
  async result(document, variables = {}) {
    for (;;) {
      const isMutation = document.trimStart().startsWith('mutation');
      const run = isMutation ? this.urql.mutation : this.urql.query;
      const result = await run.call(this.urql, document, variables).toPromise();
      if (codeOf(result) !== 'POSITION_TIMEOUT') return result;
    }
  }

  async ask(document, variables) {
    const result = await this.result(document, variables);
    assert.equal(result.error, undefined, `${document}\n${result.error}`);
    return result.data;
  }

  /** Runs a mutation; answers its payload, whatever came of it. */
  async payload(name, fields, input, type = `${name[0].toUpperCase()}${name.slice(1)}Input`) {
    const document = `mutation($input: ${type}!) {
      ${name}(input: $input) { ${fields} position ${ERRORS} } }`;
    const payload = (await this.ask(document, { input }))[name];
    this.position = payload.position ?? this.position;
    return payload;
  }

  /** Runs a mutation that must be done. */
  async did(name, fields, input, type) {
    const payload = await this.payload(name, fields, input, type);
    assert.deepEqual(payload.errors, [], name);
    return payload;
  }

  /** Runs a mutation that must be refused with this code; answers why. */
  async refused(code, name, fields, input, type) {
    const payload = await this.payload(name, fields, input, type);
    assert.equal(payload.errors[0]?.code, code, `${name}: ${JSON.stringify(payload)}`);
    return payload.errors[0];
  }

  /** Signs in on this device. */
  async signIn(email, password) {
    const input = { email, password, deviceId: this.deviceId };
    this.tokens = (await this.did('signIn', TOKENS, input)).tokens;
    return this.tokens;
  }

  /** What a query is answered with if it may not be asked (any more). */
  async isOut() {
    const result = await this.result('{ me { id } }');
    return codeOf(result) === 'UNAUTHENTICATED';
  }

  async post(path, form) {
    const body = new URLSearchParams(form);
    const response = await fetch(`${this.url}${path}`, { method: 'POST', body });
    return { status: response.status, body: await response.json() };
  }

  async heartbeat(beat) {
    const response = await fetch(`${this.url}/v1/playback/heartbeat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(beat),
    });
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    this.position = body.position ?? this.position;
  }

  /** Begins a subscription; `next()` answers its next event. */
  subscribe(query, variables) {
    const client = createClient({
      url: `${this.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${this.tokens.accessToken}` },
      retryAttempts: 0,
    });
    const events = client.iterate({ query, variables });
    return {
      next: async () => (await events.next()).value,
      close: () => client.dispose(),
    };
  }
}

export const TOKENS = `tokens { accountId signInId accessToken accessExpiresAt refreshToken
  refreshExpiresAt newAccount }`;

/** The code of what a whole operation was refused with. */
export function codeOf(result) {
  return result.error?.graphQLErrors[0]?.extensions?.code;
}

/** The directory that the server writes mails into. */
export class Mailbox {
  constructor(directory) {
    this.directory = directory;
    this.read = new Set();
  }

  /** The next mail for an address, as soon as it comes. */
  async next(address) {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      for (const name of (await readdir(this.directory)).filter(isMail).sort()) {
        if (this.read.has(name)) continue;
        const mail = await readFile(join(this.directory, name), 'utf8');
        if (!mail.toLowerCase().includes(address)) continue;
        this.read.add(name);
        return decode(mail);
      }
      await pause(50);
    }
    throw new Error(`no mail comes for ${address}`);
  }

  /** The code in the link of the next mail for an address. */
  async code(address) {
    const mail = await this.next(address);
    const link = mail.match(/http\S+#(\S+)/);
    assert.ok(link, mail);
    return link[1];
  }
}

const isMail = (name) => name.endsWith('.eml');

/** A mail whose body may be quoted-printable (RFC 2045, section 6.7). */
function decode(mail) {
  if (!/^content-transfer-encoding: *quoted-printable/im.test(mail)) return mail;
  const hex = (_, digits) => String.fromCharCode(parseInt(digits, 16));
  return mail.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, hex);
}
