import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAYS, OFFICE, hoursOf, shiftsOf } from './week';

test('nine to five is five spans, and reads as it was written', () => {
  const hours = hoursOf('Europe/Berlin', OFFICE);
  expect(hours?.spans[0]).toEqual({ day: 'monday', from_min: 540, until_min: 1_020 });
  expect(hours === null ? null : shiftsOf(hours)).toEqual(OFFICE);
});

test('a night goes on in the next day, also from Sunday to Monday, and midnight is the end of its day', () => {
  expect(hoursOf('UTC', [{ day: 'sunday', from: '22:00', until: '06:00' }])?.spans).toEqual([
    { day: 'sunday', from_min: 1_320, until_min: 1_440 },
    { day: 'monday', from_min: 0, until_min: 360 },
  ]);
  expect(hoursOf('UTC', [{ day: 'friday', from: '18:00', until: '00:00' }])?.spans).toEqual([{ day: 'friday', from_min: 1_080, until_min: 1_440 }]);
});

test('what is not filled in, or too much, is not sent', () => {
  expect(hoursOf('UTC', [{ day: 'friday', from: '', until: '10:00' }])).toBeNull();
  const night = { day: 'monday', from: '22:00', until: '21:00' } as const;
  expect(hoursOf('UTC', Array.from({ length: 15 }, () => night))).toBeNull();
});

test('whatever is written, the engine takes it, and it reads as the same hours again', () => {
  const clock = fc.integer({ min: 0, max: 1_439 }).map((at) => `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`);
  const shift = fc.record({ day: fc.constantFrom(...DAYS), from: clock, until: clock });
  fc.assert(
    fc.property(fc.array(shift, { maxLength: 14 }), (shifts) => {
      const hours = hoursOf('UTC', shifts);
      if (hours === null) throw new Error('not taken');
      for (const { from_min, until_min } of hours.spans) expect(from_min >= 0 && from_min < until_min && until_min <= 1_440).toBe(true);
      const again = hoursOf('UTC', shiftsOf(hours));
      const sorted = (spans: readonly unknown[]): string[] => spans.map((span) => JSON.stringify(span)).sort();
      expect(sorted(again?.spans ?? [])).toEqual(sorted(hours.spans));
    }),
  );
});
