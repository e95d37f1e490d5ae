// A browser driven by a test: orders come as JSON lines on stdin, each is answered by one line on stdout. What is found
// is found as a person finds it: by its role and its name. Knows nothing of the pages that it opens.
//
//   node browser.mjs <directory with node_modules> <path of Chromium>

import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [modules, executablePath] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, 'package.json')));
const { chromium } = require('playwright-core');

// Chromium's sandbox refuses to run as root, which is what containers have.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath, args });
const context = await browser.newContext();
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const complaints = [];
page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(String(error)));

const find = ({ role, name, within }) => (within ? page.getByRole('region', { name: within }) : page).getByRole(role, { name, exact: true });

const orders = {
  open: async ({ url }) => void (await page.goto(url)),
  click: async (what) => void (await find(what).click()),
  check: async (what) => void (await find(what).setChecked(what.on, { force: true })),
  fill: async (what) => void (await find(what).fill(what.text)),
  upload: async ({ label, file }) => void (await page.getByLabel(label, { exact: true }).setInputFiles(file)),
  value: async (what) => find(what).inputValue(),
  sees: async ({ text, within }) =>
    void (await (within ? page.getByRole('region', { name: within }) : page).getByText(text).first().waitFor()),
  pictures: async ({ name, count }) => {
    const shown = page.getByRole('img', { name });
    await shown.nth(count - 1).waitFor();
    return shown.evaluateAll((all) => Promise.all(all.map(async (one) => (await one.decode(), one.naturalWidth))));
  },
  size: async ({ width, height, scheme }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    // Whether anything is wider than the window.
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  },
  screenshot: async ({ path }) => void (await page.screenshot({ path, fullPage: true })),
  // Controls that a screen reader cannot name.
  nameless: async () =>
    page.evaluate(() =>
      [...document.querySelectorAll('button, input, select, textarea')]
        .filter((one) => !one.textContent.trim() && !one.labels?.length && !one.getAttribute('aria-label'))
        .map((one) => one.id || one.outerHTML),
    ),
  complaints: async () => complaints,
};

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');
say({ ok: true });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    say({ ok: true, value: await orders[order.do](order) });
  } catch (error) {
    say({ ok: false, value: String(error) });
  }
}
await browser.close();
