import { expect, test } from 'vitest';
import type { HourFigures } from '../types';
import { bars, share } from './figures';

const HOUR = 3_600_000_000;
const FROM = Date.UTC(2026, 9, 1, 0) * 1_000;

function hour(after: number, missed: number, recovered: number): HourFigures {
  const none = { asked: 0, answered: 0, queued: 0, delivered: 0, failed: 0, expired: 0, canceled: 0, segments: 0, minute_most: 0, queue_most: missed, wait_most_s: 0 };
  return { at: FROM + after * HOUR, missed, recovered, ...none };
}

const calls = (one: HourFigures): { filled: number; all: number } => ({ filled: one.recovered, all: one.missed });

test('a day has a bar for each hour, also those in which nothing happened', () => {
  const shown = bars({ from: FROM, hours: [hour(3, 4, 1)] }, 24, calls);
  expect(shown).toHaveLength(24);
  expect(shown[3]).toEqual({ at: FROM + 3 * HOUR, filled: 1, all: 4 });
  expect(shown.filter((bar) => bar.all > 0)).toHaveLength(1);
});

test('weeks have a bar for each day, which holds every hour once', () => {
  const given = [hour(1, 4, 1), hour(2, 3, 2), hour(30, 5, 5), hour(167, 1, 0)];
  const shown = bars({ from: FROM, hours: given }, 168, calls);
  expect(shown.length).toBeGreaterThanOrEqual(7);
  expect(shown.reduce((sum, bar) => sum + bar.all, 0)).toBe(13);
  expect(shown.reduce((sum, bar) => sum + bar.filled, 0)).toBe(8);
  const most = bars({ from: FROM, hours: given }, 168, (one) => ({ filled: one.queue_most, all: one.queue_most }), 'most');
  expect(Math.max(...most.map((bar) => bar.all))).toBe(5);
});

test('of nothing there is no share', () => {
  expect(share(0, 0)).toBeNull();
  expect(share(1, 4)).toBe(0.25);
});
