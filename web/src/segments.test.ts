// The counter, held to the vectors that the engine's own counter is held to.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cheaper, count } from './segments';
import vectors from './segments.vectors.json';

test('every text costs what the engine says', () => {
  expect(vectors.length).toBeGreaterThan(60);
  for (const { text, encoding, units, segments } of vectors) {
    expect({ text, ...pick(count(text)) }).toEqual({ text, encoding, units, segments });
  }
});

function pick({ encoding, units, segments }: ReturnType<typeof count>): object {
  return { encoding, units, segments };
}

test('what is left is what still fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '€', 'я', '😀'), maxLength: 400 }), (text) => {
      const { left, segments, encoding } = count(text);
      const filler = encoding === 'gsm7' ? 'a' : 'я';
      expect(count(text + filler.repeat(left)).segments).toBe(segments);
      if (segments > 1) expect(count(text + filler.repeat(left + 1)).segments).toBe(segments + 1);
    }),
  );
});

test('quotes of a word processor are offered in plain characters, and other scripts are left alone', () => {
  expect(cheaper('it’s “here” – now…')).toBe('it\'s "here" - now...');
  expect(cheaper('привет…')).toBeNull();
  expect(cheaper('plain')).toBeNull();
});
