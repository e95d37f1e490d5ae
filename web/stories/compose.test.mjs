// Writing: what can be taken back, whom one may write to, texts that are there already, and calls that were returned.
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
const number = () => `+1303555${String((line += 1)).padStart(4, '0')}`;
const shown = (address) => `(${address.slice(2, 5)}) ${address.slice(5, 8)}-${address.slice(8)}`;
const row = (page, address) => page.locator('.row', { hasText: shown(address) });
const bodies = async (to) => (await world.texts(to)).map((one) => one.body);

async function open(page, address) {
  await row(page, address).click();
  await page.waitForSelector('#write');
}

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

describe('writing', { concurrency: false }, () => {
  test('a text is held for four seconds, z takes it back into the field, and nothing leaves', async () => {
    const caller = number();
    await world.text(caller, 'How much?');
    const page = await desk(chrome, world, { hold: 4 });
    await open(page, caller);
    await page.locator('#write').fill('Fourty euros');
    await page.locator('#write').press('Enter');
    await page.getByText(/^Leaves in [1-4] s$/).waitFor();
    assert.equal(await page.locator('#write').inputValue(), '');
    await page.locator('#write').blur();
    await page.keyboard.press('z');
    assert.equal(await page.locator('#write').inputValue(), 'Fourty euros');
    await page.getByText('Taken back before it was sent').waitFor();
    await page.locator('#write').fill('Forty euros');
    await page.locator('#write').press('Enter');
    await page.locator('.state', { hasText: 'Delivered' }).waitFor();
    assert.ok(!(await bodies(caller)).includes('Fourty euros'));
    assert.ok((await bodies(caller)).includes('Forty euros'));
    await close(page);
  });

  test('a held text leaves by itself when its page is gone and the engine was killed', async () => {
    const caller = number();
    await world.text(caller, 'Are you coming?');
    const page = await desk(chrome, world, { hold: 4 });
    await open(page, caller);
    await page.locator('#write').fill('At noon');
    await page.locator('#write').press('Enter');
    await page.getByText(/^Leaves in/).waitFor();
    await close(page);
    await world.killEngine();
    assert.ok(!(await bodies(caller)).includes('At noon'));
    await world.startEngine();
    await until('it leaves', async () => (await bodies(caller)).includes('At noon'));
  });

  test('whoever wants no hold has none', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world, { hold: 4 });
    await page.waitForSelector('.link[data-state="live"]');
    await page.keyboard.press('?');
    await page.getByLabel('Seconds before a text leaves').fill('0');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await open(page, caller);
    await page.locator('#write').fill('At once');
    const began = performance.now();
    await page.locator('#write').press('Enter');
    await until('it leaves', async () => (await bodies(caller)).includes('At once'));
    assert.ok(performance.now() - began < 3_500);
    await close(page);
  });

  test('a new message joins the conversation of its number, and says why it may be texted', async () => {
    const caller = number();
    await world.text(caller, 'Call me when it is ready');
    const page = await desk(chrome, world);
    await row(page, caller).waitFor();
    await page.keyboard.press('c');
    await page.getByLabel('To', { exact: true }).fill(shown(caller));
    await page.getByText(`Joins the conversation with ${shown(caller)}`).waitFor();
    await page.getByText('May be texted: they contacted you first').waitFor();
    await page.getByLabel('Text', { exact: true }).fill('It is ready');
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
    await until('both', async () => (await page.locator('.timeline .bubble').allTextContents()).join('|') === 'Call me when it is ready|It is ready');
    await close(page);
  });

  for (const theme of ['light', 'dark']) {
    test(`a number that never wrote wants a reason, which is kept, ${theme}`, async () => {
      const stranger = number();
      const page = await desk(chrome, world, { theme, width: theme === 'light' ? 1280 : 360 });
      await page.waitForSelector('.link[data-state="live"]', { state: 'attached' });
      await page.getByRole('button', { name: 'New message' }).click();
      await page.getByLabel('To', { exact: true }).fill(stranger);
      await page.getByText('This number has never called or texted you.').waitFor();
      await page.getByLabel('Text', { exact: true }).fill('Your part is in');
      const send = page.getByRole('dialog').getByRole('button', { name: 'Send' });
      assert.equal(await send.getAttribute('aria-disabled'), 'true');
      await page.getByLabel('They agreed').selectOption('phone');
      await page.getByLabel('In their words').fill('Text me when it is in');
      await check(page, `new message, ${theme}`);
      await fits(page, `new message, ${theme}`);
      await shoot(page, `new-${theme === 'light' ? 1280 : 360}-${theme}`);
      await send.click();
      await page.locator('.timeline .bubble', { hasText: 'Your part is in' }).waitFor();
      await page.getByText('recorded new consent').waitFor();
      await until('it leaves', async () => (await bodies(stranger)).includes('Your part is in'));
      await close(page);
    });
  }

  test('the history of consent says what was said, by whom, from the first call on', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    await world.text(caller, 'STOP');
    await world.text(caller, 'START');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.locator('.consent-history summary').click();
    await page.locator('.consent-history').getByText('They opted out').waitFor();
    assert.match(await page.locator('.consent-history li').allTextContents().then((all) => all.join('|')), /They opted in again.*They opted out.*Implied from the first text or call/);
    await page.getByRole('button', { name: 'Opt out' }).click();
    await page.getByLabel('Why?').press('Enter');
    await page.locator('.consent-history').getByText('You recorded an opt-out').waitFor();
    await check(page, 'consent history');
    await close(page);
  });

  test('/ lists canned texts as they will read, and Enter takes one to be changed', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.keyboard.press('r');
    await page.keyboard.type('/text');
    const option = page.getByRole('option', { name: /text-back/ });
    await option.waitFor();
    assert.match(await option.textContent(), /this is Harbour Plumbing/);
    await check(page, 'canned texts');
    await shoot(page, 'canned-1280-light');
    await page.keyboard.press('Enter');
    assert.match(await page.locator('#write').inputValue(), /^Hi, this is Harbour Plumbing/);
    assert.deepEqual(await page.locator('.timeline .bubble').allTextContents(), ['Hello'], 'nothing was sent');
    await page.locator('#write').fill('/nothing');
    await page.getByText('No canned text matches.').waitFor();
    await close(page);
  });

  test('a missed call is called back, and no longer waits', async () => {
    const caller = number();
    await world.call(caller);
    const page = await desk(chrome, world);
    await open(page, caller);
    assert.equal(await page.getByRole('link', { name: 'Call back' }).first().getAttribute('href'), `tel:${caller}`);
    await page.getByRole('button', { name: 'Mark as called' }).click();
    await page.getByRole('status').getByText(`Marked as called: ${shown(caller)}`).waitFor();
    await page.getByText('You called back').waitFor();
    await until('it waits no longer', async () => (await row(page, caller).locator('.missed').count()) === 0);
    await page.reload();
    await page.getByText('You called back').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Mark as called' }).count(), 0);
    await close(page);
  });

  test('a voicemail is named in the list, and its line says where to hear it', async () => {
    const caller = number();
    await world.call(caller, { voicemail: { seconds: 12, text: 'Please call me about the boiler' } });
    const page = await desk(chrome, world);
    await row(page, caller).getByText('Missed call, voicemail').waitFor();
    await open(page, caller);
    const line = page.locator('.line.voicemail');
    await line.getByText('Voicemail, 12 sec').waitFor();
    await line.getByText('Listen to it at your carrier').waitFor();
    await check(page, 'voicemail');
    await fits(page, 'voicemail');
    await shoot(page, 'voicemail-1280-light');
    await page.locator('#write').fill('We will call you at four');
    await page.locator('#write').press('Enter');
    await row(page, caller).getByText('We will call you at four').waitFor();
    await until('no badge on what was answered', async () => (await row(page, caller).locator('.unread').count()) === 0);
    await close(page);
  });

  test('many are chosen and acted on at once, and one undo brings them back', async () => {
    const callers = [number(), number(), number()];
    for (const caller of callers) await world.text(caller, `Sent by ${caller}`);
    const page = await desk(chrome, world);
    for (const caller of callers) await row(page, caller).waitFor();
    const box = (caller) => page.getByRole('checkbox', { name: `Select ${shown(caller)}` });
    await box(callers[0]).click();
    await box(callers[2]).click({ modifiers: ['Shift'] });
    await page.getByText('3 selected').waitFor();
    await check(page, 'selection');
    await fits(page, 'selection');
    await shoot(page, 'selection-1280-light');
    await page.getByRole('toolbar').getByRole('button', { name: 'Assign to me' }).click();
    for (const caller of callers) await row(page, caller).locator('.assignee').waitFor();
    await box(callers[1]).click();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.selection').count(), 0);
    for (const caller of callers) await box(caller).click();
    await page.getByRole('toolbar').getByRole('button', { name: 'Resolve' }).click();
    await page.getByText('Resolved 3 conversations').waitFor();
    await until('they are gone', async () => (await Promise.all(callers.map((caller) => row(page, caller).count()))).every((count) => count === 0));
    await page.keyboard.press('z');
    for (const caller of callers) await row(page, caller).waitFor();
    await page.reload();
    for (const caller of callers) await row(page, caller).locator('.assignee').waitFor();
    await close(page);
  });

  test('settings show what to paste at the carrier, and a new text is there for everybody', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    for (const theme of ['light', 'dark']) {
      const page = await desk(chrome, world, { theme });
      await page.getByRole('button', { name: 'Settings' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Lines' }).click();
      await dialog.getByText(`${world.url}/webhooks/twilio/demo-line/sms#rc=5&rp=all`).waitFor();
      assert.equal(await dialog.getByLabel(/Answer missed calls/).isChecked(), true);
      await check(page, `lines, ${theme}`);
      await shoot(page, `lines-1280-${theme}`);
      await dialog.getByRole('button', { name: 'Texts' }).click();
      await dialog.getByRole('button', { name: 'Add a text' }).click();
      await dialog.getByLabel('Name').fill(`price-${theme}`);
      await dialog.getByLabel('Text', { exact: true }).fill('{business} asks 40 euros, {name}');
      await dialog.getByText('Harbour Plumbing asks 40 euros, {name}').waitFor();
      await check(page, `text, ${theme}`);
      await shoot(page, `text-1280-${theme}`);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.getByText(`price-${theme}`).waitFor();
      await page.keyboard.press('Escape');
      await open(page, caller);
      await page.locator('#write').pressSequentially(`/price-${theme}`);
      await page.getByRole('option', { name: new RegExp(`price-${theme}`) }).waitFor();
      await close(page);
    }
  });
});
