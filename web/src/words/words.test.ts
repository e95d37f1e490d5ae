import { expect, test } from 'vitest';
import { de } from './de';
import { en } from './en';
import { localeOf, pick } from './language';

/** Every key with what kind of thing it is. */
function shape(of: unknown, path = ''): string[] {
  if (of === null || typeof of !== 'object') return [`${path}: ${typeof of === 'function' ? `function of ${of.length}` : typeof of}`];
  return Object.entries(of).flatMap(([key, value]) => shape(value, `${path}.${key}`));
}

function strings(of: unknown, path = ''): [string, string][] {
  if (typeof of === 'string') return [[path, of]];
  if (of === null || typeof of !== 'object') return [];
  return Object.entries(of).flatMap(([key, value]) => strings(value, `${path}.${key}`));
}

test('every string of the page is there in German', () => {
  expect(shape(de).sort()).toEqual(shape(en).sort());
});

test('none of them was left in English, but for names and what is the same in both', () => {
  const same = new Set(['.name', '.autoPrefix', '.demo', '.token', '.signInHow', '.theText', '.nameField', '.textName', '.filterName', '.link', '.queue.rest', '.filters', '.blockedAs.spam']);
  const english = new Map(strings(en));
  const left = strings(de).filter(([path, text]) => text === english.get(path) && !same.has(path));
  expect(left).toEqual([]);
});

test('a choice wins over the browser, and the browser’s order counts', () => {
  expect(pick('de', ['en-US'])).toBe('de');
  expect(pick(null, ['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(pick(null, ['fr-FR'])).toBe('en');
  expect(pick('fr', ['fr-FR'])).toBe('en');
});

test('times and numbers are written as the browser writes that language', () => {
  expect(localeOf('de', ['en-GB', 'de-AT'])).toBe('de-AT');
  expect(localeOf('de', ['en-GB'])).toBe('de');
  expect(localeOf('en', ['de', 'en-GB'])).toBe('en-GB');
});
