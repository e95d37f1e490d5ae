// The same log in any split, loaded at any moment and resumed anywhere, gives the same state.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConversationEvent, InboxPage, Published, Row } from '../types';
import { EMPTY, reduce, type DeskState } from './reduce';
import { applyToRow, firstRow } from './row';

const EPOCH = '18446744073709551615';
const IDS = ['c1', 'c2', 'c3'];

/** What may happen to a conversation, by number. */
const KINDS: ((n: number) => Pick<ConversationEvent, 'type' | 'data'>)[] = [
  (n) => ({ type: 'message.received', data: { message: `in${n}`, channel: 'line', carrier_id: `SM${n}`, segments: 1, media: 0, keyword: n % 5 === 0 ? 'stop' : null } }),
  (n) => ({ type: 'message.queued', data: { message: `out${n}`, channel: 'line', purpose: n % 2 === 0 ? 'reply' : 'text_back', priority: 'interactive', segments: 1, valid_until: 1e15, template: null } }),
  (n) => ({ type: 'message.claimed', data: { message: `out${n - 1}`, attempt: 1, node: 'n', deadline: 1, segments: 1, after_unknown: false } }),
  (n) => ({ type: 'message.status', data: { message: `out${n - 1}`, attempt: 1, status: (['sent', 'failed', 'delivered'] as const)[n % 3]!, carrier_id: null, error: null } }),
  (n) => ({ type: 'call.missed', data: { carrier_id: `CA${n}`, channel: 'line' } }),
  (n) => ({ type: 'conversation.assigned', data: { operator: n % 2 === 0 ? 'ana' : null } }),
  () => ({ type: 'conversation.resolved', data: { episode: 1 } }),
  (n) => ({ type: 'conversation.reopened', data: { episode: n } }),
  (n) => ({ type: 'conversation.snoozed', data: { until: n * 1000 } }),
  () => ({ type: 'conversation.woken', data: {} }),
  (n) => ({ type: 'conversation.tagged', data: { tags: n % 2 === 0 ? ['vip'] : [] } }),
  (n) => ({ type: 'conversation.read', data: { up_to: n, operator: 'ana' } }),
  (n) => ({ type: 'contact.updated', data: { contact: 'p', named: n % 2 === 0, noted: true } }),
  (n) => ({ type: 'contact.blocked', data: { why: n % 2 === 0 ? 'spam' : 'unwanted', open: true } }),
  () => ({ type: 'contact.unblocked', data: {} }),
  (n) => ({ type: 'consent.changed', data: { consent: n % 2 === 0 ? 'opted_out' : 'opted_in', source: 'contact', channel: null } }),
  (n) => ({ type: 'note.added', data: { note: `note${n}` } }),
] as ((n: number) => Pick<ConversationEvent, 'type' | 'data'>)[];

/** A log: every conversation begins with its contact; some offsets are hidden or settings. */
const logs = fc.array(fc.tuple(fc.nat(IDS.length - 1), fc.nat(KINDS.length + 1)), { minLength: 1, maxLength: 60 }).map((plan) => {
  const last = new Map<string, number>();
  const log: { offset: number; data: Published }[] = [];
  for (const [which, kind] of plan) {
    const id = IDS[which]!;
    const offset = log.length + 1;
    const base = { offset, at: offset * 1_000, conversation: id, previous: last.get(id) ?? 0, by: 'contact', via: 'webhook', request: 'r', text: `text ${offset}`, name: offset % 3 === 0 ? 'Ann' : null };
    if (!last.has(id)) {
      const data = { contact: 'p', key: 'k', address: 'hash', reachable: true };
      log.push({ offset, data: { ...base, type: 'contact.created', data, address: '+12025550100' } as ConversationEvent });
    } else if (kind >= KINDS.length) {
      log.push({ offset, data: { type: 'hidden' } });
      continue;
    } else {
      log.push({ offset, data: { ...base, ...KINDS[kind]!(offset) } as ConversationEvent });
    }
    last.set(id, offset);
  }
  return log;
});

type Log = { offset: number; data: Published }[];

function ofConversation(log: Log, id: string, upTo: number): ConversationEvent[] {
  return log.flatMap(({ offset, data }) => ('conversation' in data && data.conversation === id && offset <= upTo ? [data as ConversationEvent] : []));
}

/** The row as the engine would give it at `upTo`. */
function rowAt(log: Log, id: string, upTo: number): Row | null {
  const [first, ...rest] = ofConversation(log, id, upTo);
  return first === undefined ? null : rest.reduce(applyToRow, firstRow(first)!);
}

/** A page whose position was read first: rows may be newer. */
function page(log: Log, offset: number, rowsAt: number): InboxPage {
  return { epoch: EPOCH, offset, rows: IDS.flatMap((id) => rowAt(log, id, rowsAt) ?? []) };
}

function expected(log: Log): Record<string, Row> {
  return Object.fromEntries(IDS.flatMap((id) => { const row = rowAt(log, id, log.length); return row === null ? [] : [[id, row]]; }));
}

function settle(state: DeskState, log: Log): DeskState {
  return [...state.waiting.keys()].reduce((now, id) => reduce(now, { type: 'conversation', view: { epoch: EPOCH, offset: log.length, ...rowAt(log, id, log.length)! } }), state);
}

/** The log from `from` on in pieces, some of them twice, as a resume in the middle gives them. */
function feed(state: DeskState, log: Log, from: number, cuts: number[], again: number): DeskState {
  const points = [...new Set([from, ...cuts.filter((cut) => cut > from && cut < log.length), log.length])].sort((a, b) => a - b);
  let now = state;
  for (let at = 1; at < points.length; at += 1) {
    const begin = Math.max(0, points[at - 1]! - again);
    now = reduce(now, { type: 'events', events: log.slice(begin, points[at]) });
  }
  return now;
}

describe('the desk’s state', () => {
  test('is the same however the log is split, loaded and resumed', () => {
    fc.assert(
      fc.property(logs, fc.nat(60), fc.nat(60), fc.array(fc.nat(60)), fc.nat(5), (log, at, ahead, cuts, again) => {
        const position = Math.min(at, log.length);
        const rowsAt = Math.min(log.length, position + ahead);
        let state = reduce(EMPTY, { type: 'inbox', page: page(log, position, rowsAt) });
        state = settle(feed(state, log, position, cuts, again), log);
        expect(Object.fromEntries(state.rows)).toEqual(expected(log));
        expect(state.waiting.size).toBe(0);
        expect(state.offset).toBe(log.length);
      }),
      { numRuns: 400 },
    );
  });

  test('is the same when a conversation’s row comes late', () => {
    fc.assert(
      fc.property(logs, fc.nat(60), fc.nat(60), (log, at, lateBy) => {
        const position = Math.min(at, log.length);
        const first = page(log, position, position);
        // The page holds one conversation only; the others come with later pages, read at some later moment.
        let state = reduce(EMPTY, { type: 'inbox', page: { ...first, rows: first.rows.slice(0, 1) } });
        const between = Math.min(log.length, position + lateBy);
        state = reduce(state, { type: 'events', events: log.slice(position, between) });
        state = reduce(state, { type: 'inbox', page: page(log, position, Math.max(position, between - 1)) });
        state = settle(reduce(state, { type: 'events', events: log.slice(between) }), log);
        expect(Object.fromEntries(state.rows)).toEqual(expected(log));
      }),
      { numRuns: 400 },
    );
  });

  test('holds a conversation’s events once and in order, whatever is loaded when', () => {
    fc.assert(
      fc.property(logs, fc.nat(60), fc.nat(60), fc.nat(60), (log, at, seen, size) => {
        const id = IDS[0]!;
        const position = Math.min(at, log.length);
        let state = reduce(EMPTY, { type: 'inbox', page: page(log, position, position) });
        state = reduce(state, { type: 'watch', conversation: id });
        const middle = Math.min(log.length, position + seen);
        state = reduce(state, { type: 'events', events: log.slice(position, middle) });
        const all = ofConversation(log, id, middle);
        const stretch = all.slice(Math.max(0, all.length - 1 - size));
        const more = all.length > stretch.length;
        state = reduce(state, { type: 'timeline', conversation: id, older: false, page: { epoch: EPOCH, offset: middle, events: stretch, before: more ? (stretch[0]?.offset ?? null) : null } });
        state = reduce(state, { type: 'events', events: log.slice(middle) });
        const older = all.slice(0, all.length - stretch.length);
        state = reduce(state, { type: 'timeline', conversation: id, older: true, page: { epoch: EPOCH, offset: log.length, events: older, before: null } });
        expect(state.timelines.get(id)!.events.map((event) => event.offset)).toEqual(ofConversation(log, id, log.length).map((event) => event.offset));
      }),
      { numRuns: 300 },
    );
  });

  test('an event that does not fit its row asks for the row instead of guessing', () => {
    const log = [1, 2, 3].map((offset) => ({
      offset,
      data: { offset, at: offset, conversation: 'c1', previous: offset - 1, by: 'contact', via: 'webhook', request: 'r', ...(offset === 1 ? { type: 'contact.created', data: { contact: 'p', key: 'k', address: 'h', reachable: true } } : { type: 'call.missed', data: { carrier_id: 'CA', channel: 'line' } }) } as unknown as ConversationEvent,
    }));
    let state = reduce(EMPTY, { type: 'inbox', page: { epoch: EPOCH, offset: 0, rows: [] } });
    state = reduce(state, { type: 'events', events: [log[0]!, log[2]!] });
    expect([...state.waiting.keys()]).toEqual(['c1']);
    expect(state.rows.get('c1')!.unread).toBe(0);
  });
});
