// What a story needs: the engine and the simulated carrier on ports of their own, a browser, and a wait with a deadline.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const BIN = process.env.DESKWIRE_BIN ?? new URL('../../target/debug', import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const SCREENS = new URL('../../target/screens/', import.meta.url).pathname;
mkdirSync(SCREENS, { recursive: true });

const DEADLINE_MS = 20_000;

/** Waits for a condition. */
export async function until(what, condition) {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > end) throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function free(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

// Files run side by side: each has ten ports to itself.
let next = 10_100 + (process.pid % 900) * 10;
async function port() {
  for (;;) {
    next += 1;
    if (await free(next)) return next;
  }
}

/** The engine with its demo tenant, and the carrier of the demo's line. */
export class World {
  static async start({ demo = true } = {}) {
    const world = new World();
    world.directory = mkdtempSync(join(tmpdir(), 'deskwire-desk-'));
    world.data = join(world.directory, 'data');
    world.port = await port();
    world.carrierPort = await port();
    world.url = `http://localhost:${world.port}`;
    world.carrierUrl = `http://127.0.0.1:${world.carrierPort}`;
    world.demo = demo;
    await world.startEngine();
    if (!demo) return world;
    world.carrier = world.spawn('loadtest', ['carrier', '--listen', `127.0.0.1:${world.carrierPort}`, '--config', join(world.data, 'demo-carrier.toml')]);
    await until('the carrier to listen', () => world.carrier.exitCode !== null || fetch(`${world.carrierUrl}/meter`).then((answer) => answer.ok, () => false));
    return world;
  }

  spawn(program, args) {
    const env = {
      PATH: process.env.PATH,
      DESKWIRE__SERVER__LISTEN: `127.0.0.1:${this.port}`,
      DESKWIRE__SERVER__PUBLIC_URL: this.url,
      DESKWIRE__SERVER__ALLOWED_ORIGINS: `["${this.url}"]`,
      DESKWIRE__DATA__DIRECTORY: this.data,
      DESKWIRE__DEMO__ENABLED: String(this.demo),
      DESKWIRE__DEMO__CARRIER_URL: `http://localhost:${this.carrierPort}`,
      DESKWIRE__TELEMETRY__FILTER: 'warn',
      DESKWIRE__WEBHOOK__LINE_PER_S: '1000000',
      DESKWIRE__WEBHOOK__LINE_BURST: '1000000',
      DESKWIRE__STREAM__DRAIN_SPREAD_MS: '100',
      RUST_LOG: 'warn',
    };
    const child = spawn(join(BIN, program), args, { env, cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    child.log = '';
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (text) => (child.log = (child.log + text).slice(-20_000)));
    child.ended = new Promise((resolve) => child.once('exit', resolve));
    return child;
  }

  async startEngine() {
    this.engine = this.spawn('deskwire', ['serve']);
    await until('the engine to be ready', async () => {
      if (this.engine.exitCode !== null) throw new Error(`the engine ended:\n${this.engine.log}`);
      return fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
    });
    if (this.demo) await until('the carrier’s file', () => existsSync(join(this.data, 'demo-carrier.toml')));
  }

  /** As if the machine lost power. */
  async killEngine() {
    this.engine.kill('SIGKILL');
    await this.engine.ended;
  }

  /** The engine begins anew, as after a restore: another log, another key for tokens. The carrier's account stays. */
  forgetLog() {
    for (const name of readdirSync(this.data)) if (!name.startsWith('demo-carrier')) rmSync(join(this.data, name), { recursive: true, force: true });
  }

  /** Runs a program to its end. */
  async run(program, args) {
    const child = this.spawn(program, args);
    const code = await child.ended;
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${child.log}`);
    return child.log;
  }

  async control(path, body) {
    const answer = await fetch(`${this.carrierUrl}/control/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  }

  call(from, more = {}) {
    return this.control('call', { from, ...more });
  }

  text(from, body, more = {}) {
    return this.control('inbound', { from, body, ...more });
  }

  /** What the carrier was given for a number, oldest first. */
  async texts(to) {
    const answer = await fetch(`${this.carrierUrl}/control/messages?to=${encodeURIComponent(to)}`);
    return (await answer.json()).reverse();
  }

  async token(operator = 'ana', role = 'admin') {
    return (await this.run('deskwire', ['token', '--tenant', 'demo', '--operator', operator, '--role', role])).trim();
  }

  /** The account of the demo at the carrier. */
  account() {
    const text = readFileSync(join(this.data, 'demo-carrier.toml'), 'utf8');
    const value = (name) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)[1];
    return { sid: value('sid'), token: value('token') };
  }

  async end() {
    for (const child of [this.carrier, this.engine]) child?.kill('SIGKILL');
    await Promise.all([this.carrier?.ended, this.engine?.ended]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function browser() {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** A window of the desk. What the page logs as an error fails the story, but for requests that were meant to fail. */
export async function desk(chrome, world, { path = '/', width = 1280, height = 800, theme = 'light', as, hold = 0 } = {}) {
  const context = await chrome.newContext({ viewport: { width, height }, colorScheme: theme, locale: 'en-US', reducedMotion: 'reduce' });
  // Most stories are not about the seconds that a text can be taken back in.
  if (hold === 0) await context.addInitScript(() => localStorage.setItem('desk.hold', '0'));
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) page.faults.push(message.text());
  });
  await page.goto(world.url + path + (as === undefined ? '' : `?as=${as}`));
  return page;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Axe finds nothing. */
export async function check(page, what) {
  const options = { runOnly: { type: 'tag', values: RULES }, resultTypes: ['violations'] };
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((given) => window.axe.run(document, given), options);
  const told = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('\n  ')}`);
  assert.deepEqual(told, [], what);
}

/** Nothing of the page lies outside the window, but for what scrolls in a place of its own. */
export async function fits(page, what) {
  const wide = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(one).position !== 'fixed' && one.closest('.heard, .nav, .wide') === null).map((one) => one.className).slice(0, 5));
  assert.deepEqual(wide, [], `${what}: wider than the window`);
}

/** A picture of it, for people to look at. */
export function shoot(page, name) {
  return page.screenshot({ path: join(SCREENS, `${name}.png`) });
}
