// Views: which rows, in which order, and who waits.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Row, SavedFilter } from '../types';
import { list, relist, summary } from './views';

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

test('a filter narrows its view down by all that it names, and by nothing else', () => {
  const given = [row('a', { tags: ['leak', 'vip'], assigned: 'ana' }), row('b', { tags: ['leak'], unread: 1, last_inbound: 5, last_message: { message: 'm', offset: 5, at: 5, direction: 'inbound', media: 0 } }), row('c', { waiting_since: 5, channel: 'two' })];
  const map = new Map(given.map((one) => [one.conversation, one]));
  const found = (filter: Partial<SavedFilter>): string => relist([], map, 'all', 'ana', { name: 'x', view: 'all', ...filter }).map((one) => one.conversation).join('');
  expect(found({})).toBe('abc');
  expect([found({ tags: ['leak'] }), found({ tags: ['leak', 'vip'] }), found({ assigned: 'ana' }), found({ channel: 'two' })]).toEqual(['ab', 'a', 'a', 'c']);
  expect([found({ waiting: true }), found({ unread: true }), found({ tags: ['leak'], unread: true, assigned: 'ana' })]).toEqual(['c', 'b', '']);
});

test('a list made from the list before is the same list', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id: fc.nat(8), activity: fc.nat(5), open: fc.boolean() }), { maxLength: 30 }), (changes) => {
      const map = new Map<string, Row>();
      let before: Row[] = [];
      for (const { id, activity, open } of changes) {
        map.set(`c${id}`, row(`c${id}`, { activity, open }));
        before = relist(before, map, 'all', 'ana');
        expect(before).toEqual(list(map.values(), 'all', 'ana'));
      }
    }),
  );
});

test('the line at the top counts who waits for a person, and the longest', () => {
  expect(summary(rows, 'ana')).toMatchObject({ waiting: 2, longest: 20, unread: 1, counts: { all: 2, snoozed: 1, resolved: 1 } });
});
