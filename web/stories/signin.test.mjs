// Signing in, as people do it: by a link, by e-mail and password, by a token; and being shown out. No demo here.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World, browser, check, desk, fits, shoot, until } from './world.mjs';

let chrome;
let world;
before(async () => {
  [chrome, world] = await Promise.all([browser(), World.start({ demo: false })]);
  await world.run('deskwire', ['tenant', 'create', 'acme', '--business', 'Acme']);
});
after(async () => {
  await chrome?.close();
  await world?.end();
});

const PASSWORD = 'correct horse battery';

async function invite(name, role = 'operator') {
  const args = ['operator', 'invite', '--tenant', 'acme', '--email', `${name}@acme.example`, '--role', role];
  return new URL((await world.run('deskwire', args)).trim());
}

const rest = async (path, body, method = 'PUT') => {
  world.owner ??= (await world.run('deskwire', ['token', '--tenant', 'acme', '--operator', 'root', '--role', 'owner'])).trim();
  const headers = { authorization: `Bearer ${world.owner}`, 'content-type': 'application/json' };
  const answer = await fetch(world.url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
};

/** Opens a link and sets a password. */
async function joined(name, role) {
  const link = await invite(name, role);
  const page = await desk(chrome, world, { path: link.pathname + link.hash });
  await page.getByRole('heading', { name: `Welcome, ${name}` }).waitFor();
  await page.getByLabel('Choose a password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
  await page.waitForSelector('.link[data-state="live"]');
  return { page, link };
}

async function signIn(page, name, password = PASSWORD) {
  await page.getByLabel('E-mail').fill(`${name}@acme.example`);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Everything that a script of the page could read. */
const readable = (page) => page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie, url: location.href }));

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

describe('signing in', { concurrency: false }, () => {
  test('a one-time link lets in once, and leaves nothing in the address', async () => {
    const { page, link } = await joined('nora');
    assert.equal(new URL(page.url()).pathname, '/inbox/all');
    assert.ok(!(await readable(page)).includes(link.hash.slice(1)));
    await page.reload();
    await page.waitForSelector('.link[data-state="live"]');
    const second = await desk(chrome, world, { path: link.pathname + link.hash });
    await second.getByText('This link was used').waitFor();
    await Promise.all([close(page), close(second)]);
  });

  test('e-mail and password, a wrong one said in words, and nothing of it within reach of scripts', async () => {
    const { page: first } = await joined('ben');
    await first.getByRole('button', { name: 'your account' }).click();
    await first.getByRole('menuitem', { name: 'Sign out' }).click();
    await first.getByText('You are signed out.').waitFor();
    await signIn(first, 'ben', 'not my password');
    await first.getByText('E-mail or password is wrong.').waitFor();
    await signIn(first, 'ben');
    await first.waitForSelector('.link[data-state="live"]');
    const [cookie] = await first.context().cookies(`${world.url}/page/sign-in`);
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/page']);
    const kept = await readable(first);
    for (const secret of [cookie.value, PASSWORD, 'eyJ']) assert.ok(!kept.includes(secret), secret);
    await close(first);
  });

  test('sessions are listed, one is ended from another, and all of them at once', async () => {
    const { page: home } = await joined('cleo');
    const office = await desk(chrome, world);
    await signIn(office, 'cleo');
    await office.waitForSelector('.link[data-state="live"]');
    await home.getByRole('button', { name: 'your account' }).click();
    await home.getByRole('menuitem', { name: 'Where you are signed in' }).click();
    const dialog = home.getByRole('dialog');
    await dialog.getByText('This browser').waitFor();
    await check(home, 'sessions');
    await shoot(home, 'sessions-1280-light');
    await dialog.getByRole('button', { name: 'Sign out', exact: true }).click();
    await office.getByText('You are signed out.').waitFor({ timeout: 2_000 });
    await signIn(office, 'cleo');
    await office.waitForSelector('.link[data-state="live"]');
    await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
    await Promise.all([home, office].map((page) => page.getByText('You are signed out.').waitFor({ timeout: 2_000 })));
    await Promise.all([close(home), close(office)]);
  });

  test('whoever is revoked loses stream and page within a second, and is not let in again', async () => {
    const { page } = await joined('dora');
    const began = performance.now();
    await rest('/v1/admin/operators/dora', { role: null });
    await page.getByText('You are signed out.').waitFor();
    assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`);
    await signIn(page, 'dora');
    await page.getByText('E-mail or password is wrong.').waitFor();
    await close(page);
  });

  test('a forgotten password is set anew by a link, and the old one opens nothing', async () => {
    const { page } = await joined('emil');
    const link = new URL((await world.run('deskwire', ['operator', 'reset', '--tenant', 'acme', '--operator', 'emil'])).trim());
    const other = await desk(chrome, world, { path: link.pathname + link.hash });
    await other.getByRole('heading', { name: 'A new password' }).waitFor();
    await other.getByLabel('Choose a password').fill('another good one');
    await other.getByRole('button', { name: 'Set password and sign in' }).click();
    await page.getByText('You are signed out.').waitFor();
    await signIn(page, 'emil');
    await page.getByText('E-mail or password is wrong.').waitFor();
    await signIn(page, 'emil', 'another good one');
    await page.waitForSelector('.link[data-state="live"]');
    await Promise.all([close(page), close(other)]);
  });

  test('who guesses is told to wait', async () => {
    await joined('fay').then(({ page }) => close(page));
    const page = await desk(chrome, world);
    const told = page.getByText('Too many tries. Wait');
    // Where the machine is so slow that tries come back while one guesses, it takes some more.
    for (let guess = 0; guess < 60 && (await told.count()) === 0; guess += 1) {
      await signIn(page, 'fay', `guess number ${guess}`);
      await until('an answer', async () => (await page.locator('.send[aria-disabled="true"]').count()) === 0);
    }
    await told.waitFor();
    await close(page);
  });

  test('a token is used without an account, and is kept nowhere', async () => {
    const page = await desk(chrome, world);
    const token = (await world.run('deskwire', ['token', '--tenant', 'acme', '--operator', 'gil', '--role', 'admin'])).trim();
    await page.getByText('Use a token instead').click();
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.waitForSelector('.link[data-state="live"]');
    assert.ok(!(await readable(page)).includes(token.slice(20, 60)));
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await close(page);
  });

  test('an owner invites by the page, changes a role, and removes; an operator has no settings', async () => {
    const { page } = await joined('olga', 'owner');
    await page.getByRole('button', { name: 'Settings' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail').fill('hans@acme.example');
    assert.equal(await dialog.getByLabel('Seen by the others as').inputValue(), 'hans');
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText('For hans, once, until').waitFor();
    const link = new URL(await dialog.locator('.made code').textContent());
    await check(page, 'people');
    await shoot(page, 'people-1280-light');
    const hans = await desk(chrome, world, { path: link.pathname + link.hash });
    await hans.getByLabel('Choose a password').fill(PASSWORD);
    await hans.getByRole('button', { name: 'Set password and sign in' }).click();
    await hans.waitForSelector('.link[data-state="live"]');
    assert.equal(await hans.getByRole('button', { name: 'Settings' }).count(), 0);
    await dialog.getByLabel('Role of hans').selectOption('admin');
    await hans.getByRole('button', { name: 'Settings' }).waitFor();
    await dialog.getByRole('button', { name: 'Set away: hans' }).click();
    await hans.getByRole('button', { name: /^hans Away Your account$/ }).waitFor();
    await dialog.getByText('hans (away)').waitFor();
    await hans.getByRole('button', { name: /^hans Away Your account$/ }).click();
    await hans.getByRole('menuitem', { name: 'Come back' }).click();
    await dialog.getByRole('button', { name: 'Set away: hans' }).waitFor();
    await dialog.getByRole('button', { name: 'Hours: hans' }).click();
    await check(page, 'hours of somebody else');
    await shoot(page, 'people-hours-1280-light');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('available by hours').waitFor();
    await hans.getByTitle(/, by hours$/).first().waitFor();
    await dialog.getByLabel('Role of olga').selectOption('admin');
    await page.getByText('The last owner').or(page.getByText('make somebody else owner')).waitFor();
    await dialog.getByRole('button', { name: 'Remove: hans' }).click();
    await hans.getByText('You are signed out.').waitFor({ timeout: 2_000 });
    await until('he is off the list', async () => (await dialog.getByLabel('Role of hans').count()) === 0);
    await Promise.all([close(page), close(hans)]);
  });

  for (const theme of ['light', 'dark']) {
    test(`the ways in look right and are accessible, ${theme}`, async () => {
      for (const width of [360, 768, 1280, 2560]) {
        const page = await desk(chrome, world, { width, theme });
        await page.getByLabel('E-mail').waitFor();
        await shoot(page, `signin-${width}-${theme}`);
        await fits(page, `sign-in at ${width}`);
        if (width === 360) await check(page, `sign-in, ${theme}`);
        await close(page);
      }
      const link = await invite(`new-${theme}`, 'admin');
      const page = await desk(chrome, world, { path: link.pathname + link.hash, width: 768, theme });
      await page.getByLabel('Choose a password').waitFor();
      await shoot(page, `join-768-${theme}`);
      await check(page, `join, ${theme}`);
      await close(page);
    });
  }
});
