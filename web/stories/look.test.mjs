// How it looks and bears: every view at four widths in both themes (screenshots in target/screens), axe on each, ten
// thousand conversations, and what an operator's hand and eye wait for.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ANN, furnish } from './morning.mjs';
import { SCREENS, World, browser, check, desk, fits, until } from './world.mjs';

let chrome;
let world;
before(async () => {
  [chrome, world] = await Promise.all([browser(), World.start()]);
  await furnish(world);
});
after(async () => {
  await chrome?.close();
  await world?.end();
});

const settled = (page) => page.waitForSelector('.timeline .state');
const VIEWS = {
  inbox: { path: '/', ready: (page) => page.waitForSelector('.row') },
  conversation: { path: () => `/inbox/all/${world.ann}`, ready: settled },
  note: { path: () => `/inbox/all/${world.ann}`, ready: async (page) => { await settled(page); await page.keyboard.press('n'); await page.locator('#write').fill('Call before coming'); } },
  details: { path: () => `/inbox/all/${world.ann}`, ready: async (page, width) => { await settled(page); if (width < 1100) await page.keyboard.press('i'); await page.waitForSelector('.facts'); } },
  search: { path: '/', ready: async (page) => { await page.waitForSelector('.row'); await page.locator('#search').fill('sink'); await page.waitForSelector('.results mark'); } },
  keys: { path: '/', ready: async (page) => { await page.waitForSelector('.row'); await page.keyboard.press('?'); await page.waitForSelector('dialog[open]'); } },
  palette: { path: '/', ready: async (page) => { await page.waitForSelector('.row'); await page.keyboard.press('Control+k'); await page.waitForSelector('#palette-list li'); } },
  snoozed: { path: '/inbox/snoozed', ready: (page) => page.waitForSelector('.empty') },
  'sign-in': { path: '/', ready: async (page) => { await page.route('**/page/sign-in', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{}' })); await page.reload(); await page.waitForSelector('#email'); } },
};

/** So many contacts write, as the carrier would tell: signed, many at once. */
async function crowd(many) {
  const { sid, token } = world.account();
  const url = `${world.url}/webhooks/twilio/demo-line/sms`;
  const agent = new Agent({ keepAlive: true, maxSockets: 48 });
  let next = 0;
  const one = (index) => {
    const form = { AccountSid: sid, Body: `I have a question about order ${index}`, From: `+1303${5_000_000 + index}`, MessageSid: `SM${String(index).padStart(32, '0')}`, NumMedia: '0', NumSegments: '1', To: '+15005550006' };
    const signature = createHmac('sha1', token).update(url + Object.keys(form).sort().map((name) => name + form[name]).join('')).digest('base64');
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature } }, (answer) => {
        answer.resume();
        answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`a webhook was answered ${answer.statusCode}`))));
      });
      asked.on('error', reject);
      asked.end(new URLSearchParams(form).toString());
    });
  };
  const worker = async () => {
    while (next < many) await one(next++);
  };
  await Promise.all(Array.from({ length: 48 }, worker));
  agent.destroy();
}

/** In the page: when a text came on the wire, and when it stood on the screen. */
function watchWire() {
  window.onWire = new Map();
  window.painted = new Map();
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        for (const [text] of String(data).matchAll(/ping \d+\./g)) if (!window.onWire.has(text)) window.onWire.set(text, performance.now());
      });
    }
  };
  window.watchPaint = () => {
    const seen = new Set();
    new window.MutationObserver(() => {
      const fresh = [...document.querySelectorAll('.bubble')].slice(-20).map((one) => one.textContent).filter((text) => /^ping \d+\.$/.test(text) && !seen.has(text));
      fresh.forEach((text) => seen.add(text));
      // After the frame that holds it was drawn.
      if (fresh.length > 0) requestAnimationFrame(() => setTimeout(() => fresh.forEach((text) => window.painted.set(text, performance.now())), 0));
    }).observe(document.querySelector('.timeline'), { childList: true, subtree: true, characterData: true });
  };
}

describe('the look of the desk', { concurrency: false }, () => {
  for (const theme of ['light', 'dark']) {
    test(`every view is for everybody, in ${theme}`, async () => {
      const context = await chrome.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: theme, locale: 'en-US', reducedMotion: 'reduce' });
      const page = await context.newPage();
      for (const [name, view] of Object.entries(VIEWS)) {
        await page.goto(world.url + (typeof view.path === 'string' ? view.path : view.path()));
        await view.ready(page, 1280);
        await check(page, `${name}, ${theme}`);
      }
      await context.close();
    });
  }

  test('every view fits every width', async () => {
    const widths = { 360: ['inbox', 'conversation', 'note', 'details', 'search', 'sign-in'], 768: ['inbox', 'conversation', 'details'], 1280: Object.keys(VIEWS), 2560: ['inbox', 'conversation'] };
    for (const [width, names] of Object.entries(widths)) {
      for (const theme of ['light', 'dark']) {
        const size = { width: Number(width), height: { 360: 740, 768: 1024, 1280: 800, 2560: 1300 }[width] };
        const context = await chrome.newContext({ viewport: size, colorScheme: theme, locale: 'en-US', reducedMotion: 'reduce' });
        const page = await context.newPage();
        for (const name of names) {
          const view = VIEWS[name];
          await page.goto(world.url + (typeof view.path === 'string' ? view.path : view.path()));
          await view.ready(page, size.width);
          await page.screenshot({ path: `${SCREENS}${name}-${width}-${theme}.png` });
          if (theme === 'light') await fits(page, `${name} at ${width}`);
        }
        await context.close();
      }
    }
  });

  test('a new conversation does not move what the pointer is on', async () => {
    const page = await desk(chrome, world);
    await page.waitForSelector('.row');
    const third = page.locator('.row').nth(2);
    const name = await third.locator('.row-who').textContent();
    await third.hover();
    const before = await third.boundingBox();
    await world.call('+18085550101');
    await page.getByRole('button', { name: '1 new' }).waitFor();
    const now = await page.locator('.row', { hasText: name }).boundingBox();
    assert.equal(Math.round(now.y), Math.round(before.y));
    await page.context().close();
  });

  test('ten thousand conversations are there, counted, and scroll', async () => {
    await crowd(10_000);
    const page = await desk(chrome, world);
    const begun = performance.now();
    await page.waitForSelector('.row');
    const first = performance.now() - begun;
    await page.waitForFunction(() => /^[\d,]+ waiting/.test(document.querySelector('h1').textContent), null, { timeout: 60_000 });
    const whole = performance.now() - begun;
    const scrolled = await page.evaluate(async () => {
      const list = document.querySelector('.rows');
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      let blank = 0;
      for (let turn = 0; turn < 60; turn += 1) {
        list.scrollTop = (list.scrollHeight * turn) / 60;
        await frame();
        await frame();
        const middle = list.getBoundingClientRect();
        if (document.elementFromPoint(middle.left + 60, middle.top + 300)?.closest('.row') == null) blank += 1;
      }
      return { blank, rows: document.querySelectorAll('.row').length };
    });
    const count = await page.locator('h1').textContent();
    console.log(`# ${count}: first rows after ${Math.round(first)} ms, all after ${Math.round(whole)} ms; ${scrolled.rows} rows in the document`);
    assert.match(count, /^1\d,\d{3} waiting/);
    assert.ok(scrolled.rows < 60, 'only what is in view is in the document');
    assert.ok(scrolled.blank <= 2, `${scrolled.blank} of 60 places were blank two frames later`);
    await page.context().close();
  });

  test('an event is painted soon, and a key is answered in its frame', async () => {
    const context = await chrome.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
    const page = await context.newPage();
    await page.addInitScript(watchWire);
    await page.goto(`${world.url}/inbox/all/${world.ann}`);
    await settled(page);
    await page.waitForSelector('.link[data-state="live"]');
    await page.evaluate(() => window.watchPaint());
    const sent = [];
    for (let count = 0; count < 100; count += 1) {
      sent.push(world.text(ANN, `ping ${count}.`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(sent);
    await until('every event painted', () => page.evaluate(() => window.painted.size === 100));
    const spent = await page.evaluate(() => [...window.painted].map(([text, at]) => at - window.onWire.get(text)).sort((one, other) => one - other));
    console.log(`# event on the wire to painted, 50 a second: p50 ${spent[50].toFixed(0)} ms, p95 ${spent[95].toFixed(0)} ms`);
    assert.ok(spent[95] < Number(process.env.PAINT_MS ?? 400), `p95 is ${spent[95]} ms`);
    const keys = await page.evaluate(async () => {
      const field = document.querySelector('#write');
      field.focus();
      const spent = [];
      for (let count = 0; count < 200; count += 1) {
        const begun = performance.now();
        field.value += 'a';
        field.dispatchEvent(new window.InputEvent('input', { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 0));
        spent.push(performance.now() - begun);
      }
      spent.sort((one, other) => one - other);
      return { p50: spent[100], p95: spent[190] };
    });
    console.log(`# typing beside ten thousand conversations: p50 ${keys.p50.toFixed(1)} ms, p95 ${keys.p95.toFixed(1)} ms a key`);
    await context.close();
  });
});
