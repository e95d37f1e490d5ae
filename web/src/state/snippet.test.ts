// Where a search's hit is cut.
import { expect, test } from 'vitest';
import { aroundFound } from './snippet';

const told = (snippet: Parameters<typeof aroundFound>[0]): string => aroundFound(snippet).map((piece) => (piece.hit === true ? `[${piece.text}]` : piece.text)).join('');

test('the found word stands near the beginning, cut at a word', () => {
  const before = 'We were at the house yesterday and looked at the old ';
  expect(told([{ text: before, hit: false }, { text: 'boiler', hit: true }, { text: ' again', hit: false }])).toBe('…at the old [boiler] again');
  expect(told([{ text: 'The ', hit: false }, { text: 'boiler', hit: true }])).toBe('The [boiler]');
  expect(told([{ text: 'x'.repeat(60), hit: false }, { text: 'boiler', hit: true }])).toBe(`…${'x'.repeat(16)}[boiler]`);
});

test('a name that matched without a word of it is left as it is', () => {
  expect(told([{ text: 'nothing in here was found but the number', hit: false }])).toBe('nothing in here was found but the number');
});
