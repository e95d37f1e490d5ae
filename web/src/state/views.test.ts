// Views: which rows, in which order, and who waits.
import { expect, test } from 'vitest';
import type { Row } from '../types';
import { list, summary } from './views';

const row = (conversation: string, more: Partial<Row> = {}): Row => ({
  conversation, contact: 'p', last: 1, reachable: true, open: true, episode: 1, tags: [], unread: 0, read_up_to: 0, last_inbound: 0, activity: 1, consent: 'implied', parked: false, unprocessed: 0, ...more,
});
const rows = [
  row('a', { activity: 1, assigned: 'ana', waiting_since: 50 }),
  row('b', { activity: 3, missed_call: 7, waiting_since: 20, unread: 2 }),
  row('c', { activity: 2, snoozed_until: 99, waiting_since: 1 }),
  row('d', { open: false, activity: 9 }),
  row('e', { merged_into: 'a', activity: 10 }),
];
const ids = (view: Parameters<typeof list>[1]): string => list(rows, view, 'ana').map((one) => one.conversation).join('');

test('each view shows what belongs to it, newest first', () => {
  expect([ids('all'), ids('mine'), ids('unassigned'), ids('missed'), ids('snoozed'), ids('resolved')]).toEqual(['ba', 'a', 'b', 'b', 'c', 'd']);
});

test('the line at the top counts who waits for a person, and the longest', () => {
  expect(summary(rows, 'ana')).toMatchObject({ waiting: 2, longest: 20, unread: 1, counts: { all: 2, snoozed: 1, resolved: 1 } });
});
