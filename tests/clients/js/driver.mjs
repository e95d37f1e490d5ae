// The protocol's own JavaScript client, unmodified, driven by a test: orders come as JSON lines on stdin, what the
// client reports goes as JSON lines to stdout. Knows nothing of Deskwire but its address.
//
//   node driver.mjs <directory> '{"url":"ws://…/v1/stream","token":"…","data":{…},"refresh":true}'
//
// With "urls" each dial goes to the next of them, as behind a name that stands for several nodes.

import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

// Dependencies are installed apart from this file: their directory is the first argument.
const [modules, given] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, 'package.json')));
const { Centrifuge } = require('centrifuge');
const WebSocket = require('ws');

const options = JSON.parse(given);
const say = (event, rest = {}) => process.stdout.write(JSON.stringify({ event, ...rest }) + '\n');

let socket = null;
let held = false;
const urls = options.urls ?? [options.url];
let dials = 0;

// While held, every dial goes where nobody listens: the network is away.
class Socket extends WebSocket {
  constructor(_url, protocols) {
    super(held ? 'ws://127.0.0.1:1/' : urls[dials++ % urls.length], protocols);
    socket = this;
  }
}

let tokenWanted = null;
const client = new Centrifuge(urls[0], {
  token: options.token,
  data: options.data ?? null,
  websocket: Socket,
  minReconnectDelay: 20,
  maxReconnectDelay: 200,
  getToken: options.refresh
    ? () => {
        say('token_wanted');
        return new Promise((resolve) => (tokenWanted = resolve));
      }
    : null,
});

const publication = (channel, pub) =>
  say('publication', { channel, offset: pub.offset, type: pub.data.type, text: pub.data.text });
const subscribed = (channel, context) =>
  say('subscribed', {
    channel,
    recovered: context.recovered === true,
    was_recovering: context.wasRecovering === true,
    offset: context.streamPosition?.offset ?? 0,
    epoch: context.streamPosition?.epoch ?? '',
  });

client.on('connected', (context) => say('connected', { client: context.client }));
client.on('connecting', (context) => say('connecting', { code: context.code, reason: context.reason }));
client.on('disconnected', (context) => say('disconnected', { code: context.code, reason: context.reason }));
client.on('error', (context) => say('error', { code: context.error?.code }));
client.on('subscribed', (context) => subscribed(context.channel, context));
client.on('unsubscribed', (context) => say('unsubscribed', { channel: context.channel }));
client.on('publication', (context) => publication(context.channel, context));

const orders = {
  connect: () => client.connect(),
  disconnect: () => client.disconnect(),
  drop: () => {
    held = true;
    socket.terminate();
  },
  release: () => (held = false),
  pause: () => socket.pause(),
  resume: () => socket.resume(),
  token: ({ token }) => tokenWanted(token),
  subscribe: ({ channel, since }) => {
    const subscription = client.newSubscription(channel, since ? { since } : {});
    subscription.on('subscribed', (context) => subscribed(channel, context));
    subscription.on('publication', (context) => publication(channel, context));
    subscription.on('unsubscribed', (context) => say('unsubscribed', { channel, code: context.code }));
    subscription.on('error', (context) => say('error', { channel, code: context.error?.code }));
    subscription.subscribe();
  },
  rpc: async ({ method, data }) => {
    try {
      say('reply', { data: (await client.rpc(method, data)).data });
    } catch (error) {
      say('reply', { error });
    }
  },
  history: async ({ channel, limit }) => {
    const page = await client.history(channel, { limit });
    say('reply', { data: { offset: page.offset, offsets: page.publications.map((one) => one.offset) } });
  },
  presence: async ({ channel }) => {
    const { clients } = await client.presence(channel);
    say('reply', { data: Object.values(clients).map((one) => one.user) });
  },
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
  })
  .on('close', () => process.exit(0));
say('ready');
