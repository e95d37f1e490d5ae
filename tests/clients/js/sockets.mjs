// npm `ws`, unmodified, as somebody who means ill: offers compression, fragments, floods, breaks frames. Prints one JSON
// line a case: how the server ended it.
//
//   node sockets.mjs MODULES '{"url":"ws://…/v1/stream","token":"…"}'

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [modules, given] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, 'package.json')));
const WebSocket = require('ws');
const { url, token } = JSON.parse(given);
const alive = '{"id":9,"ping":{}}';

const play = (name, attack, options = {}) =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, { perMessageDeflate: true, ...options });
    const seen = { name, extensions: null, replies: 0, pongs: 0, code: null };
    const end = (code) => resolve({ ...seen, code });
    socket.on('open', () => {
      seen.extensions = socket.extensions;
      socket.send(JSON.stringify({ id: 1, connect: { token } }));
    });
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.includes('"connect"')) attack(socket);
      if (text.includes('"id":9')) {
        seen.replies += 1;
        socket.close(1000);
      }
    });
    socket.on('pong', () => (seen.pongs += 1));
    socket.on('close', end);
    socket.on('error', () => {});
  });

// Everything that goes out is checked by the library; what must be wrong goes around it.
const raw = (socket, bytes) => socket._socket.write(Buffer.from(bytes));

const cases = [
  ['whole', (socket) => socket.send(alive)],
  ['compressed if it may', (socket) => socket.send(alive.padEnd(5000), { compress: true })],
  [
    'fragments',
    (socket) => {
      for (const letter of alive) socket.send(letter, { fin: false });
      socket.send('', { fin: true });
    },
  ],
  ['pings', (socket) => { for (let n = 0; n < 10; n++) socket.ping('x'.repeat(n)); socket.send(alive); }],
  ['binary', (socket) => socket.send(Buffer.from([1, 2, 3]))],
  ['too large', (socket) => socket.send(' '.repeat(65537))],
  ['no utf-8', (socket) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
  ['reserved bits', (socket) => raw(socket, [0xf1, 0x80, 0, 0, 0, 0])],
  ['an unknown opcode', (socket) => raw(socket, [0x83, 0x80, 0, 0, 0, 0])],
  ['not masked', (socket) => raw(socket, [0x81, 0x02, 0x7b, 0x7d])],
  ['goodbye', (socket) => socket.close(4321, 'done')],
];
for (const [name, attack] of cases) process.stdout.write(JSON.stringify(await play(name, attack)) + '\n');
process.exit(0);
