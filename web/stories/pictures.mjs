// The pictures in docs/: inbox, conversation, settings and overview, light and dark. `npm run pictures` after a change of looks.
import { World, browser, desk, until } from './world.mjs';
import { furnish } from './morning.mjs';

const DOCS = new URL('../../docs/', import.meta.url).pathname;
const world = await World.start();
const chrome = await browser();

const VIEWS = {
  inbox: ['/', (page) => page.waitForSelector('.row')],
  desk: [() => `/inbox/all/${world.ann}`, (page) => page.waitForSelector('.facts')],
  settings: ['/', async (page) => {
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Lines', exact: true }).click();
    await page.locator('.lines h3').waitFor();
  }],
  overview: ['/overview', (page) => until('the figures', async () => (await page.locator('.figure-value').count()) === 3)],
};

try {
  await furnish(world);
  for (const theme of ['light', 'dark']) {
    for (const [name, [path, ready]] of Object.entries(VIEWS)) {
      const page = await desk(chrome, world, { path: typeof path === 'string' ? path : path(), theme, height: 760 });
      await ready(page);
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: `${DOCS}${name}-${theme}.png` });
      await page.context().close();
    }
  }
} finally {
  await chrome.close();
  await world.end();
}
