// Stories, each as an operator would live it, against the real engine and the simulated carrier.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World, browser, check, desk, shoot, until } from './world.mjs';

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
/** A number that nobody else in these stories has. */
const number = () => `+1202555${String((line += 1)).padStart(4, '0')}`;
const shown = (address) => `(${address.slice(2, 5)}) ${address.slice(5, 8)}-${address.slice(8)}`;
const row = (page, address) => page.locator('.row', { hasText: shown(address) });
const bubbles = (page) => page.locator('.timeline .bubble').allTextContents();
const live = (page) => page.waitForSelector('.link[data-state="live"]');

async function open(page, address) {
  await row(page, address).click();
  await page.waitForSelector('#write');
}

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

describe('the desk', { concurrency: false }, () => {
  test('an empty inbox teaches, and a missed call appears in it by itself', async () => {
    const page = await desk(chrome, world);
    await page.getByText('To see it work, call (500) 555-0006').first().waitFor();
    await page.getByRole('heading', { name: 'Nobody is waiting' }).waitFor();
    await live(page);
    const caller = number();
    await world.call(caller);
    await row(page, caller).getByText('Missed call').waitFor();
    await page.getByRole('heading', { name: /^1 waiting · longest/ }).waitFor();
    await close(page);
  });

  test('an answer appears at once, is counted while typed, and is seen delivered', async () => {
    const caller = number();
    await world.text(caller, 'My sink is leaking');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.keyboard.press('r');
    await page.keyboard.type('We are on our way');
    await page.getByText('1 segment · 143 left').waitFor();
    // The bubble is there in the frame of the key, whatever the network does.
    const atOnce = await page.evaluate(async () => {
      const field = document.querySelector('#write');
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return { shown: document.querySelector('.timeline').textContent.includes('We are on our way'), field: field.value };
    });
    assert.deepEqual(atOnce, { shown: true, field: '' });
    await page.locator('.state', { hasText: 'Delivered' }).waitFor();
    assert.deepEqual(await bubbles(page), ['My sink is leaking', 'We are on our way'], 'once, not twice');
    assert.equal((await world.texts(caller)).filter((one) => one.body === 'We are on our way').length, 1);
    await close(page);
  });

  test('a note is for the team only and looks like nothing else', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.keyboard.press('n');
    await page.keyboard.type('Pays in cash');
    await page.keyboard.press('Enter');
    await page.locator('article.note', { hasText: 'Pays in cash' }).getByText('Note', { exact: true }).waitFor();
    assert.deepEqual(await bubbles(page), ['Hello']);
    assert.equal((await world.texts(caller)).filter((one) => one.body === 'Pays in cash').length, 0);
    const next = number();
    await world.text(next, 'Another one');
    await open(page, next);
    await page.getByRole('button', { name: 'Reply', pressed: true }).waitFor();
    await page.getByLabel(`Text ${shown(next)}`).waitFor();
    await close(page);
  });

  test('two people see each other type and the same messages in the same order', async () => {
    const caller = number();
    await world.text(caller, 'Are you open today?');
    const [maria, jo] = [await desk(chrome, world), await desk(chrome, world, { as: 'jo' })];
    await Promise.all([open(maria, caller), open(jo, caller)]);
    await maria.getByText('jo is looking at this too').waitFor();
    await jo.locator('#write').pressSequentially('Yes');
    await maria.getByText('jo is typing').waitFor();
    await maria.locator('#write').pressSequentially('Un');
    await Promise.all([jo.keyboard.press('Enter'), world.text(caller, 'And tomorrow?'), maria.locator('#write').fill('Until six')]);
    await maria.getByText('jo has just replied').waitFor();
    await check(maria, 'overtaken');
    await maria.locator('#write').press('Enter');
    await until('the hint goes with the text', async () => (await maria.getByText('jo has just replied').count()) === 0);
    await world.text(caller, 'Thanks');
    const whole = (page) => until('all five', async () => (await bubbles(page)).length === 5 && page.locator('.pending').count().then((count) => count === 0));
    await Promise.all([whole(maria), whole(jo)]);
    assert.deepEqual(await bubbles(maria), await bubbles(jo));
    await Promise.all([close(maria), close(jo)]);
  });

  test('typed text survives leaving, reload and a crash of the page', async () => {
    const [one, other] = [number(), number()];
    await world.text(one, 'First');
    await world.text(other, 'Second');
    const page = await desk(chrome, world);
    await open(page, one);
    await page.locator('#write').fill('Half a sente');
    await open(page, other);
    assert.equal(await page.locator('#write').inputValue(), '');
    await open(page, one);
    assert.equal(await page.locator('#write').inputValue(), 'Half a sente');
    await page.reload();
    await page.waitForSelector('#write');
    assert.equal(await page.locator('#write').inputValue(), 'Half a sente');
    await close(page);
  });

  test('whoever opted out is told before one types', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await open(page, caller);
    await world.text(caller, 'STOP');
    await page.getByText('They opted out. Only they can lift it, by texting START.').first().waitFor();
    assert.equal(await page.locator('#write').isDisabled(), true);
    await page.keyboard.press('n');
    await until('a note can be written', async () => !(await page.locator('#write').isDisabled()));
    await page.locator('.composer .blocked').getByText('They opted out.', { exact: false }).waitFor();
    await check(page, 'a note about somebody who opted out');
    await close(page);
  });

  test('why an opt-out was recorded stands in the history of consent', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.getByRole('button', { name: 'Opt out', exact: true }).click();
    await page.getByLabel('Why?').fill('Asked on the phone');
    await shoot(page, 'opt-out-1280-light');
    await page.getByLabel('Why?').press('Enter');
    await page.getByText('Opted out here. Opt in again in the contact’s details if they ask for it.').first().waitFor();
    await page.locator('.consent-history summary').click();
    await page.locator('.consent-history li', { hasText: 'You recorded an opt-out' }).getByText('Asked on the phone').waitFor();
    await close(page);
  });

  test('the field for why hears the key that comes right after it was asked for, and gives the focus back', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.getByRole('button', { name: 'Opt out', exact: true }).waitFor();
    const heard = await page.evaluate(async () => {
      // The next task: no frame is drawn before it, and no key comes earlier.
      const turn = () => new Promise((done) => {
        const { port1, port2 } = new window.MessageChannel();
        port1.onmessage = done;
        port2.postMessage(null);
      });
      const opener = () => [...document.querySelectorAll('.contact button')].find((one) => one.textContent === 'Opt out');
      const heard = [];
      for (let round = 0; round < 5; round += 1) {
        opener().focus();
        opener().click();
        await turn();
        heard.push(document.activeElement.matches('.opt-out input') ? 'field' : document.activeElement.outerHTML);
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
        await turn();
        heard.push(document.activeElement === opener() ? 'opener' : document.activeElement.outerHTML);
      }
      return heard;
    });
    assert.deepEqual(heard, Array.from({ length: 5 }, () => ['field', 'opener']).flat());
    await close(page);
  });

  test('who sends spam is kept away with one click, and back with another', async () => {
    const caller = number();
    await world.text(caller, 'Buy my pills');
    const [page, other] = [await desk(chrome, world, { path: '/inbox/unassigned' }), await desk(chrome, world, { as: 'jo', path: '/inbox/unassigned' })];
    await Promise.all([open(page, caller), row(other, caller).waitFor()]);
    await page.getByRole('button', { name: 'Mark as spam' }).click();
    await page.getByText(`Marked as spam: ${shown(caller)}`).waitFor();
    await until('it left both lists', async () => (await row(page, caller).count()) + (await row(other, caller).count()) === 0);
    assert.equal(await page.locator('#write').isDisabled(), true, 'nobody writes to them');
    await world.text(caller, 'More pills');
    await world.call(caller);
    const kept = other.locator('.row', { hasText: shown(caller) });
    await other.goto(`${world.url}/inbox/resolved?as=jo`);
    await kept.getByText('More pills').waitFor();
    await kept.getByText('Spam', { exact: true }).waitFor();
    assert.equal(await kept.locator('.unread').count(), 0, 'nobody is bothered');
    assert.deepEqual(await world.texts(caller), [], 'no text after the call');
    await check(page, 'blocked');
    await shoot(page, 'blocked-1280-light');
    await page.locator('.contact').getByRole('button', { name: 'Unblock' }).click();
    await row(page, caller).waitFor();
    await until('one may write again', async () => !(await page.locator('#write').isDisabled()));
    await Promise.all([close(page), close(other)]);
  });

  test('the keyboard does everything, and what was done can be undone', async () => {
    const [one, other] = [number(), number()];
    await world.text(one, 'Below');
    await world.text(other, 'Above');
    const page = await desk(chrome, world, { path: '/inbox/unassigned' });
    await row(page, one).waitFor();
    const name = () => page.locator('.head h2').textContent();
    await page.keyboard.press('j');
    await until('the first', async () => (await name()) === shown(other));
    await page.keyboard.press('j');
    await until('the second', async () => (await name()) === shown(one));
    await page.keyboard.press('k');
    await until('the first again', async () => (await name()) === shown(other));
    await page.keyboard.press('e');
    await page.getByText(`Resolved: ${shown(other)}`).waitFor();
    await until('the next takes its place', async () => (await name()) === shown(one) && (await row(page, other).count()) === 0);
    await page.keyboard.press('z');
    await row(page, other).waitFor();
    await page.keyboard.press('a');
    await page.getByText('It is yours').waitFor();
    await page.keyboard.press('1');
    await row(page, one).waitFor();
    assert.equal(await row(page, other).count(), 0);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Resolve or reopen').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('snoozed');
    await page.keyboard.press('Enter');
    await until('the view', () => page.url().endsWith('/inbox/snoozed'));
    await close(page);
  });

  test('the palette hears the key that comes right after its own', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    const page = await desk(chrome, world);
    await row(page, caller).waitFor();
    const heard = await page.evaluate(async () => {
      const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { ctrlKey: true, key, bubbles: true, cancelable: true }));
      // The next task: no frame is drawn before it, and no key comes earlier.
      const turn = () => new Promise((done) => {
        const { port1, port2 } = new window.MessageChannel();
        port1.onmessage = done;
        port2.postMessage(null);
      });
      const heard = [];
      for (let round = 0; round < 5; round += 1) {
        press('k');
        await turn();
        heard.push(document.activeElement.className);
        press('k');
        await turn();
        heard.push(document.activeElement.className);
      }
      return heard;
    });
    assert.deepEqual(heard, Array.from({ length: 5 }, () => ['palette-input', '']).flat());
    await close(page);
  });

  test('search finds people and words and marks what matched', async () => {
    const caller = number();
    await world.text(caller, 'The carburettor rattles');
    const page = await desk(chrome, world);
    await row(page, caller).waitFor();
    await page.keyboard.press('/');
    await until('the index', async () => {
      await page.locator('#search').fill('');
      await page.locator('#search').pressSequentially('carburettor');
      return page.locator('.results mark', { hasText: 'carburettor' }).first().waitFor({ timeout: 1_500 }).then(() => true, () => false);
    });
    // The two keys come in one go.
    const chosen = await page.evaluate(() => {
      const press = () => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      document.querySelector('#search').focus();
      press();
      return document.activeElement.matches('.results a');
    });
    assert.equal(chosen, true);
    await page.keyboard.press('Enter');
    await until('the conversation', async () => (await bubbles(page)).includes('The carburettor rattles'));
    await page.locator('#search').fill(caller.slice(-7));
    await row(page, caller).first().waitFor();
    await close(page);
  });

  test('a search’s hit shows the word it found, and leads to it however far back it is', async () => {
    const caller = number();
    await world.text(caller, 'We were all at the house yesterday evening and had a look at it: the camshaft is worn');
    for (let count = 1; count <= 120; count += 1) await world.text(caller, `And another thing, number ${count}`);
    const page = await desk(chrome, world);
    await row(page, caller).waitFor();
    await page.keyboard.press('/');
    const found = page.locator('.results mark', { hasText: 'camshaft' }).first();
    await until('the index', async () => {
      await page.locator('#search').fill('');
      await page.locator('#search').pressSequentially('camshaft');
      return found.waitFor({ timeout: 1_500 }).then(() => true, () => false);
    });
    const [word, line] = await Promise.all([found.boundingBox(), page.locator('.results .row-last').filter({ has: page.locator('mark') }).first().boundingBox()]);
    assert.ok(word.x + word.width <= line.x + line.width, 'the word is not cut off');
    await found.click();
    const place = page.locator('li[data-sought] .bubble', { hasText: 'the camshaft is worn' });
    await place.waitFor();
    const [bubble, view] = await Promise.all([place.boundingBox(), page.locator('.scroll').boundingBox()]);
    assert.ok(bubble.y >= view.y && bubble.y + bubble.height <= view.y + view.height, 'it is in view');
    await shoot(page, 'sought-1280-light');
    await until('the mark goes', async () => (await page.locator('li[data-sought]').count()) === 0);
    await close(page);
  });

  test('what failed says why in words, and what to do', async () => {
    const caller = number();
    await world.text(caller, 'Hello');
    await world.control('script', { to: caller, fates: [{ refuse: 30006 }] });
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.locator('#write').fill('Hi');
    await page.locator('#write').press('Enter');
    await page.getByText('Not sent: this number can’t receive texts (landline). Call instead').waitFor();
    await close(page);
  });

  test('scrolling back brings what is older without a jump', async () => {
    const caller = number();
    for (let count = 1; count <= 170; count += 1) await world.text(caller, `Message number ${count}`);
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.locator('.timeline').getByText('Message number 170', { exact: true }).waitFor();
    const moved = await page.evaluate(async () => {
      const scroller = document.querySelector('.scroll');
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const worst = { jump: 0 };
      for (let turn = 0; turn < 400; turn += 1) {
        scroller.scrollTop -= 80;
        await frame();
        const mark = [...document.querySelectorAll('.bubble')].find((one) => one.getBoundingClientRect().top > 150);
        const before = mark?.getBoundingClientRect().top;
        const height = scroller.scrollHeight;
        await frame();
        if (mark !== undefined && scroller.scrollHeight !== height) worst.jump = Math.max(worst.jump, Math.abs(mark.getBoundingClientRect().top - before));
        if (document.querySelector('.bubble').textContent === 'Message number 1') break;
      }
      return worst.jump;
    });
    await page.locator('.timeline').getByText('Message number 1', { exact: true }).waitFor();
    assert.ok(moved <= 1, `what one looked at moved by ${moved} px`);
    assert.equal((await bubbles(page)).length, 170);
    await close(page);
  });

  test('the engine killed under the page: a send is held, and goes out once', async () => {
    const caller = number();
    await world.text(caller, 'Can you come at five?');
    const page = await desk(chrome, world);
    await open(page, caller);
    await live(page);
    await world.killEngine();
    await page.getByText(/^Offline since/).first().waitFor();
    await page.locator('#write').fill('Five is fine');
    await page.locator('#write').press('Enter');
    await page.getByText('Held: goes out when the connection is back').waitFor();
    await page.keyboard.press('Escape');
    assert.ok((await bubbles(page)).includes('Can you come at five?'), 'everything stays readable');
    await world.startEngine();
    await page.locator('.state', { hasText: 'Delivered' }).waitFor();
    await live(page);
    assert.deepEqual(await bubbles(page), ['Can you come at five?', 'Five is fine']);
    assert.equal((await world.texts(caller)).filter((one) => one.body === 'Five is fine').length, 1);
    await close(page);
  });

  test('a send that was held survives a reload of the page', async () => {
    const caller = number();
    await world.text(caller, 'Ready?');
    const page = await desk(chrome, world);
    await open(page, caller);
    await page.route('**/messages', (route) => route.abort());
    await page.locator('#write').fill('Ready at noon');
    await page.locator('#write').press('Enter');
    await page.getByText('Held: goes out when the connection is back').waitFor();
    await page.unroute('**/messages');
    await page.reload();
    await page.locator('.state', { hasText: 'Delivered' }).waitFor();
    assert.equal((await world.texts(caller)).filter((one) => one.body === 'Ready at noon').length, 1);
    await close(page);
  });

  test('an engine with another log: everything is loaded anew, and the page says so', async () => {
    const caller = number();
    await world.text(caller, 'Of the log before');
    const page = await desk(chrome, world);
    await row(page, caller).waitFor();
    await live(page);
    await world.killEngine();
    world.forgetLog();
    await world.startEngine();
    await page.getByText('Everything was loaded anew.', { exact: false }).waitFor();
    await live(page);
    assert.equal(await row(page, caller).count(), 0);
    const other = number();
    await world.text(other, 'Of the new one');
    await row(page, other).waitFor();
    await close(page);
  });
});
