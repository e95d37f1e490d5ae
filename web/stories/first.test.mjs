// The first run: a business without a number that sets itself up, and somebody who knows two addresses and nothing else.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { World, browser, check, desk, fits, shoot, until } from './world.mjs';

let chrome;
before(async () => {
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
});

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

/** A call that nobody took, as the carrier tells of it. */
async function missedCall(world, line, from, to) {
  const form = { AccountSid: 'AC0123456789abcdef0123456789abcdef', ApiVersion: '2010-04-01', CallSid: 'CA0123456789abcdef0123456789abcdef', CallStatus: 'ringing', Direction: 'inbound', From: from, To: to };
  const url = `${world.url}/webhooks/twilio/${line}/voice`;
  const signed = url + Object.keys(form).sort().map((name) => name + form[name]).join('');
  const headers = { 'x-twilio-signature': createHmac('sha1', 'a secret of theirs').update(signed).digest('base64') };
  const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  assert.equal(answer.status, 200, await answer.text());
}

/** A second line, from the settings through the same steps to its own test call. */
async function anotherLine(world, page) {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Lines', exact: true }).click();
  await page.getByRole('button', { name: 'Add another line' }).click();
  const wizard = page.getByRole('dialog', { name: 'Add another line' });
  assert.match(await wizard.getByLabel('Account', { exact: true }).locator('option:checked').textContent(), /^acme-account, of \(415\) 555-0199$/);
  assert.equal(await wizard.getByLabel('Auth token').count(), 0);
  await wizard.getByLabel('Account', { exact: true }).selectOption({ label: 'Another account' });
  await wizard.getByLabel('Auth token').waitFor();
  await check(page, 'wizard, another line');
  await wizard.getByLabel('Account', { exact: true }).selectOption('acme-account');
  await wizard.getByLabel('Your number').fill('+1 415 555 0188');
  await shoot(page, 'wizard-another-1280-light');
  await wizard.getByRole('button', { name: 'Next' }).click();
  await wizard.getByText(`${world.url}/webhooks/twilio/acme-line-2/voice#rc=2&rp=all&tt=6000`).waitFor();
  await wizard.getByRole('button', { name: 'Next' }).click();
  await wizard.getByText('Hi, this is Acme Plumbing.', { exact: false }).waitFor();
  await wizard.getByRole('checkbox', { name: 'Answer missed calls' }).uncheck();
  await wizard.getByRole('button', { name: 'Next' }).click();
  await wizard.getByText('Call (415) 555-0188 from another telephone, and hang up.').waitFor();
  await missedCall(world, 'acme-line-2', '+14155550123', '+14155550188');
  await wizard.getByText('Missed call from (415) 555-0123. It works. Nothing was sent: this line does not answer missed calls.').waitFor();
  await shoot(page, 'wizard-another-came-1280-light');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Lines', exact: true }).click();
  await page.getByRole('heading', { name: '(415) 555-0188' }).waitFor();
  assert.equal(await page.getByRole('heading', { name: '(415) 555-0199' }).count(), 1);
}

describe('the first run', { concurrency: false }, () => {
  test('an admin of a new business is led from its name to waiting for a test call', async () => {
    const world = await World.start({ demo: false });
    try {
      await world.run('deskwire', ['tenant', 'create', 'acme']);
      const link = new URL((await world.run('deskwire', ['operator', 'invite', '--tenant', 'acme', '--email', 'nora@acme.example', '--role', 'owner'])).trim());
      const page = await desk(chrome, world, { path: link.pathname + link.hash });
      await page.getByLabel('Choose a password').fill('correct horse battery');
      await page.getByRole('button', { name: 'Set password and sign in' }).click();
      await page.getByRole('button', { name: 'Set it up, step by step' }).click();
      await page.getByLabel('Name of the business').fill('Acme Plumbing');
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByLabel('Account SID').fill('AC0123456789abcdef0123456789abcdef');
      await page.getByLabel('Auth token').fill('a secret of theirs');
      await page.getByLabel('Your number').fill('+1 (415) 555-0199');
      await check(page, 'wizard, number');
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText(`${world.url}/webhooks/twilio/acme-line/sms#rc=5&rp=all`).waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText('Hi, this is Acme Plumbing.', { exact: false }).waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText('Call (415) 555-0199 from another telephone, and hang up.').waitFor();
      await page.getByText('Waiting for your call').waitFor();
      assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes('a secret of theirs'));
      await shoot(page, 'wizard-1280-light');
      await page.keyboard.press('Escape');
      await anotherLine(world, page);
      await close(page);
    } finally {
      await world.end();
    }
  });

  test('the test call of the demo shows its text as delivered, and leads to its conversation', async () => {
    const world = await World.start();
    try {
      const page = await desk(chrome, world, { width: 360, height: 740 });
      await page.getByRole('button', { name: 'Set it up, step by step' }).click();
      await page.getByText('Call (500) 555-0006 from another telephone, and hang up.').waitFor();
      assert.match(await page.locator('.wizard').getByRole('link', { name: 'Open the demo’s telephone' }).getAttribute('href'), /\/phone$/);
      await fits(page, 'wizard at 360');
      await check(page, 'wizard, test call');
      await world.call('+14155550123');
      await page.getByText('Missed call from (415) 555-0123. It works. Your text was delivered.').waitFor();
      await shoot(page, 'wizard-360-light');
      await page.getByRole('button', { name: 'Open it and answer' }).click();
      await page.waitForSelector('#write');
      await close(page);
    } finally {
      await world.end();
    }
  });

  test('somebody with the two printed addresses calls, hangs up and answers their own missed call within a minute', async () => {
    const world = await World.start();
    try {
      const begun = performance.now();
      const page = await desk(chrome, world);
      // The desk itself leads to the telephone: nobody looks for a real one.
      const opened = page.waitForEvent('popup');
      await page.getByRole('link', { name: 'Open the demo’s telephone' }).first().click();
      const phone = await opened;
      await phone.getByRole('button', { name: 'Call', exact: true }).click();
      await phone.getByRole('button', { name: 'Hang up' }).click();
      await phone.getByRole('log', { name: 'Texts with this line' }).getByRole('listitem').first().waitFor();
      await page.bringToFront();
      await page.locator('.row').first().click();
      await page.locator('#write').fill('Hello from the desk');
      await page.locator('#write').press('Enter');
      await phone.getByText('Hello from the desk').waitFor();
      console.log(`# called, hung up and answered after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      assert.ok(performance.now() - begun < 60_000);
      await phone.close();
      await close(page);
    } finally {
      await world.end();
    }
  });

  test('the telephone takes a number as people write it, refuses others in words, and can always hang up', async () => {
    const world = await World.start();
    try {
      for (const [width, height] of [[1280, 800], [390, 844]]) {
        const context = await chrome.newContext({ viewport: { width, height }, locale: 'en-US', reducedMotion: 'reduce' });
        const phone = await context.newPage();
        await phone.goto(`${world.carrierUrl}/phone`);
        const field = phone.getByLabel('Your number');
        const call = phone.getByRole('button', { name: 'Call', exact: true });
        await until('the line is there', () => call.isEnabled());
        await field.fill('my own');
        await field.blur();
        await phone.getByText('This is no telephone number.', { exact: false }).waitFor();
        assert.equal(await call.isDisabled(), true);
        await field.fill('415.555.0150');
        await field.blur();
        await until('it reads as at the desk', async () => (await field.inputValue()) === '(415) 555-0150');
        await until('one may call', () => call.isEnabled());
        await call.click();
        await phone.getByRole('log', { name: 'What you hear' }).getByRole('listitem').first().waitFor();
        const end = phone.getByRole('button', { name: 'Hang up' });
        const seen = async () => {
          const box = await end.boundingBox();
          return box !== null && box.y >= 0 && box.y + box.height <= height;
        };
        assert.ok(await seen(), `Hang up is in view at ${width}`);
        await shoot(phone, `phone-call-${width}-light`);
        await check(phone, `telephone in a call, ${width}`);
        await phone.evaluate(() => window.scrollTo(0, 300));
        assert.ok(await seen(), `and stays there, at ${width}`);
        await end.click();
        await phone.getByText('You hung up').or(phone.getByText('The call has ended')).first().waitFor();
        await phone.getByRole('button', { name: 'A drawing' }).click();
        const picture = phone.locator('#thread img').last();
        await picture.waitFor();
        await until('the thread is at its new picture', () => phone.evaluate(() => {
          const list = document.querySelector('#thread');
          return [...list.querySelectorAll('img')].every((one) => one.complete && one.naturalHeight > 0) && list.scrollHeight - list.scrollTop - list.clientHeight < 2;
        }));
        await context.close();
      }
    } finally {
      await world.end();
    }
  });
});
