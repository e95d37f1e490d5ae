// Figures, filters, being away, settings on a telephone, another language: each as somebody at the desk does it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World, browser, check, desk, fits, shoot, until } from './world.mjs';

let chrome;
let world;
before(async () => {
  [chrome, world] = await Promise.all([browser(), World.start()]);
});
after(async () => {
  await chrome?.close();
  await world?.end();
});

let line = 100;
const number = () => `+1408555${String((line += 1)).padStart(4, '0')}`;
const shown = (address) => `(${address.slice(2, 5)}) ${address.slice(5, 8)}-${address.slice(8)}`;
const row = (page, address) => page.locator('.row', { hasText: shown(address) });

async function api(path, body, method = 'POST', operator = 'ana') {
  const bearer = await world.token(operator);
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const answer = await fetch(world.url + path, body === undefined ? { headers } : { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

/** The conversation with a number. */
const talk = (address) => until(`${address} in the inbox`, async () => (await api('/v1/inbox')).rows.find((one) => one.address === address));

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

const figure = (page, name) => page.locator(`[data-figure="${name}"]`);

describe('the overview and what is one’s own', { concurrency: false }, () => {
  test('the overview counts a missed call as recovered while one looks, and says what each figure means', async () => {
    const [lost, saved] = [number(), number()];
    await world.call(lost);
    await world.call(saved);
    await talk(saved);
    const page = await desk(chrome, world, { path: '/overview' });
    await figure(page, 'recovered').getByText('0 of 2 missed calls').waitFor();
    await figure(page, 'response').getByText('0 of 2 first questions answered').waitFor();
    await world.text(saved, 'Can you come today?');
    await figure(page, 'recovered').getByText('1 of 2 missed calls').waitFor();
    assert.equal(await figure(page, 'recovered').locator('.figure-value').textContent(), '50%');
    const { conversation } = await talk(saved);
    await api(`/v1/conversations/${conversation}/messages`, { text: 'At four' });
    await figure(page, 'response').getByText('1 of 2 first questions answered').waitFor();
    await figure(page, 'delivery').getByText('3 of 3 texts delivered').waitFor();
    for (const part of await page.locator('.figure').all()) assert.ok((await part.locator('.figure-meaning').textContent()).length > 60);
    const told = await api('/v1/figures');
    assert.deepEqual([told.total.missed, told.total.recovered, told.total.delivered, told.behind], [2, 1, 3, false]);
    await figure(page, 'queue').getByRole('rowheader', { name: '(500) 555-0006' }).waitFor();
    await close(page);
  });

  test('the figures are the same after the engine was killed', async () => {
    const before = await api('/v1/figures');
    await world.killEngine();
    await world.startEngine();
    const after = await api('/v1/figures');
    const { segments, ...counted } = before.total;
    assert.ok(segments >= 3);
    for (const [name, count] of Object.entries(counted)) assert.equal(after.total[name], count, name);
  });

  test('the overview is for everybody, fits every width, and is reached by a key', async () => {
    for (const theme of ['light', 'dark']) {
      for (const width of [360, 768, 1280, 2560]) {
        const page = await desk(chrome, world, { width, height: 900, theme, path: '/overview' });
        await page.locator('.wide tbody tr').first().waitFor();
        await shoot(page, `overview-${width}-${theme}`);
        await fits(page, `overview at ${width}`);
        if (width === 1280) await check(page, `overview, ${theme}`);
        await close(page);
      }
    }
    const page = await desk(chrome, world);
    await page.waitForSelector('.row');
    await page.keyboard.press('o');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('button', { name: '7 days' }).click();
    await until('a bar for each day', async () => (await figure(page, 'recovered').locator('svg > g').count()) >= 7);
    await page.keyboard.press('3');
    await page.waitForSelector('.row');
    assert.equal(new URL(page.url()).pathname, '/inbox/all');
    await close(page);
  });

  test('a saved filter narrows the list down, and is there in another browser', async () => {
    const [leak, other] = [number(), number()];
    await world.text(leak, 'It leaks');
    await world.text(other, 'A question');
    const { conversation } = await talk(leak);
    await talk(other);
    await api(`/v1/conversations/${conversation}/tags`, { add: ['leak'] });
    const page = await desk(chrome, world);
    await row(page, leak).getByText('leak', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    await page.getByLabel('Tags').selectOption('leak');
    await page.getByLabel('Name').fill('Leaks');
    await check(page, 'filters');
    await shoot(page, 'filters-1280-light');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, leak).waitFor();
    await row(page, other).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Leaks' }).click();
    await row(page, other).waitFor();
    const elsewhere = await desk(chrome, world);
    await elsewhere.getByRole('button', { name: 'Leaks' }).click();
    await row(elsewhere, leak).waitFor();
    await row(elsewhere, other).waitFor({ state: 'detached' });
    const jo = await desk(chrome, world, { as: 'jo' });
    await row(jo, leak).waitFor();
    assert.equal(await jo.getByRole('button', { name: 'Leaks' }).count(), 0, 'another person has their own');
    await elsewhere.getByRole('button', { name: 'Filters', exact: true }).click();
    await elsewhere.getByRole('button', { name: 'Remove the filter Leaks' }).click();
    await until('it is gone', async () => (await api('/v1/me', undefined, 'GET', 'maria')).filters.length === 0);
    await Promise.all([close(page), close(elsewhere), close(jo)]);
  });

  test('who goes away is shown as away to the others, and a contact who writes is told of as going back', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const { conversation } = await talk(caller);
    const jo = await desk(chrome, world, { as: 'jo' });
    await row(jo, caller).click();
    await jo.waitForSelector('#write');
    await jo.keyboard.press('Escape');
    await jo.getByRole('button', { name: 'Assign to me' }).first().click();
    await until('jo is on it', async () => (await api(`/v1/conversations/${conversation}`)).assigned === 'jo');
    await jo.getByRole('button', { name: /^jo .*your account$/i }).click();
    await check(jo, 'one’s own menu');
    await jo.getByRole('menuitem', { name: 'Set yourself away' }).click();
    await jo.getByText('You are away: new messages go to everybody').waitFor();
    const ana = await desk(chrome, world, { as: 'ana', path: `/inbox/all/${conversation}` });
    await ana.locator('optgroup[label="Here now"]').getByRole('option', { name: 'jo (away)' }).waitFor({ state: 'attached' });
    await ana.getByRole('button', { name: 'Settings' }).click();
    const known = ana.getByRole('dialog', { name: 'Settings' }).getByRole('listitem').filter({ hasText: 'jo (away)' });
    await known.getByText('Here now').waitFor();
    await known.getByText('came without an invitation').waitFor();
    await check(ana, 'people without an invitation');
    await shoot(ana, 'people-demo-1280-light');
    assert.ok(!/token/i.test(await ana.getByRole('dialog', { name: 'Settings' }).textContent()), 'nothing that an owner need not know');
    await ana.keyboard.press('Escape');
    await ana.getByText('Whoever is on it is away: goes back to everybody', { exact: false }).waitFor();
    await jo.getByRole('button', { name: /^jo Away Your account$/ }).click();
    await jo.getByRole('menuitem', { name: 'Come back' }).click();
    await ana.getByRole('option', { name: 'jo', exact: true }).waitFor({ state: 'attached' });
    await Promise.all([close(jo), close(ana)]);
  });

  test('hours decide who is away, a word by hand lasts until they change, and both outlive the engine', async () => {
    const page = await desk(chrome, world, { as: 'kim' });
    await page.waitForSelector('.link[data-state="live"]');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Hours');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Hours' });
    await dialog.getByText('Available. No hours are set').waitFor();
    await dialog.getByLabel('Time zone').selectOption('Europe/Berlin');
    assert.equal(await dialog.getByLabel('Friday, until').inputValue(), '17:00');
    for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday']) await dialog.getByRole('button', { name: `Remove these hours on ${day}` }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Away, by hours').waitFor();
    await check(page, 'hours');
    // Each day until midnight, and Sunday from one minute after: they are there, or will be within that minute.
    for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']) {
      await dialog.getByRole('button', { name: `Add hours on ${day}` }).click();
      await dialog.getByLabel(`${day}, from`).fill(day === 'Sunday' ? '00:01' : '00:00');
      await dialog.getByLabel(`${day}, until`).fill('00:00');
    }
    await shoot(page, 'hours-1280-light');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText(/^Available until .*, by hours$/).waitFor({ timeout: 70_000 });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^kim .*your account$/i }).click();
    await page.getByRole('menuitem', { name: 'Set yourself away' }).click();
    await page.getByText(/then your hours decide again/).waitFor();
    await page.getByTitle(/^Your account: kim \(away\)\. Away until .*, by hand; then by hours$/).waitFor();
    await world.killEngine();
    await world.startEngine();
    await page.reload();
    await page.getByTitle(/^Your account: kim \(away\)\. Away until .*, by hand; then by hours$/).waitFor();
    const { away, hours, by_hand } = await api('/v1/me', undefined, 'GET', 'kim');
    assert.deepEqual([away.includes('kim'), hours.zone, hours.spans.length, by_hand], [true, 'Europe/Berlin', 7, true]);
    await page.setViewportSize({ width: 1920, height: 900 });
    await page.getByRole('button', { name: /^Away until .*, by hand; then by hours$/ }).waitFor();
    await shoot(page, 'hours-1920-light');
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: 'Hours', exact: true }).click();
    await fits(page, 'hours at 360');
    await shoot(page, 'hours-360-light');
    await page.getByRole('button', { name: 'No hours' }).click();
    await page.getByText('Away. No hours are set').waitFor();
    await close(page);
  });

  test('settings are reached and used on a telephone of 360 px', async () => {
    const page = await desk(chrome, world, { width: 360, height: 740 });
    await page.waitForSelector('.row');
    await page.getByRole('button', { name: 'More' }).click();
    await shoot(page, 'more-360-light');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    for (const part of ['People', 'Lines', 'Texts']) {
      await page.getByRole('button', { name: part, exact: true }).click();
      await until(`${part} loaded`, async () => (await page.locator('.settings').getByText('Loading', { exact: true }).count()) === 0);
      await fits(page, `settings, ${part}`);
      await check(page, `settings, ${part}, 360 px`);
      await shoot(page, `settings-${part.toLowerCase()}-360-light`);
    }
    await page.getByRole('button', { name: 'Lines', exact: true }).click();
    const answers = page.getByRole('checkbox', { name: 'Answer missed calls' });
    await answers.uncheck();
    await until('the engine knows', async () => (await api('/v1/admin/channels')).rows[0].coverage === false);
    await answers.check();
    await until('and again', async () => (await api('/v1/admin/channels')).rows[0].coverage === true);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await close(page);
  });

  test('whoever chose a language and how long texts are held has both in another browser, and nobody else has', async () => {
    const page = await desk(chrome, world, { as: 'lea' });
    await page.waitForSelector('.link[data-state="live"]');
    await page.keyboard.press('?');
    await page.getByLabel('Seconds before a text leaves').fill('9');
    await page.keyboard.press('Tab');
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('heading', { name: /wartet|warten|Niemand/ }).waitFor();
    const other = await desk(chrome, world, { as: 'lea' });
    await other.getByRole('heading', { name: /wartet|warten|Niemand/ }).waitFor();
    assert.equal(await other.evaluate(() => document.documentElement.lang), 'de');
    await other.keyboard.press('?');
    await until('both are known', async () => (await other.getByLabel('Sprache').inputValue()) === 'de' && (await other.locator('.choice input[type="number"]').inputValue()) === '9');
    await check(other, 'preferences');
    const max = await desk(chrome, world, { as: 'max' });
    await max.getByRole('heading', { name: /waiting/ }).waitFor();
    // The same browser, and somebody else: as it is for them.
    await other.goto(`${world.url}/?as=max`);
    await other.getByRole('heading', { name: /waiting/ }).waitFor();
    await other.goto(`${world.url}/?as=lea`);
    await other.getByRole('heading', { name: /wartet|warten|Niemand/ }).waitFor();
    await other.keyboard.press('?');
    await other.getByLabel('Sprache').selectOption('');
    await other.getByRole('heading', { name: /waiting/ }).waitFor();
    assert.deepEqual((await api('/v1/me', undefined, 'GET', 'lea')).preferences, { language: null, hold_s: 9 });
    await Promise.all([close(page), close(other), close(max)]);
  });

  test('the desk speaks German to a German browser, with German times and numbers, and English when asked to', async () => {
    const context = await chrome.newContext({ viewport: { width: 1280, height: 800 }, locale: 'de-DE', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error.stack)));
    await page.goto(`${world.url}/`);
    await page.getByText(/warten? · längstens|Niemand wartet/).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
    await check(page, 'German');
    await shoot(page, 'german-1280-light');
    await page.goto(`${world.url}/overview`);
    await page.getByText(/von \d+ verpassten Anrufen/).waitFor();
    assert.match(await figure(page, 'recovered').locator('.figure-value').textContent(), /^\d+\u00a0%$/);
    await page.keyboard.press('?');
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
    await close(page);
  });
});
