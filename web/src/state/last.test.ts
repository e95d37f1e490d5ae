// What a row shows as its last thing.
import { expect, test } from 'vitest';
import type { ConversationEvent, Row } from '../types';
import { lastThing, unseen } from './last';
import { applyToRow } from './row';

const EMPTY: Row = { conversation: 'c', contact: 'p', last: 1, reachable: true, open: true, episode: 1, tags: [], unread: 0, read_up_to: 0, last_inbound: 0, activity: 1, consent: 'implied', parked: false, unprocessed: 0 };

let offset = 1;
/** The row after these, as the stream tells of them. */
function after(...types: [type: string, data?: object][]): Row {
  return types.reduce((row, [type, data]) => {
    offset += 1;
    return applyToRow(row, { offset, at: offset * 10_000_000, conversation: 'c', previous: offset - 1, by: { operator: 'ana' }, via: 'stream', type, data: { channel: 'l', message: `m${offset}`, ...data } } as unknown as ConversationEvent);
  }, EMPTY);
}
const received: [string] = ['message.received'];
const missed: [string] = ['call.missed'];
const voicemail: [string, object] = ['call.voicemail', { duration_s: 12 }];
const textBack: [string, object] = ['message.queued', { purpose: 'text_back' }];
const reply: [string, object] = ['message.queued', { purpose: 'reply' }];

test('a voicemail is named where it is the last thing, and nothing else is taken for one', () => {
  expect([after(missed, voicemail), after(missed, textBack, voicemail)].map(lastThing)).toEqual(Array(2).fill('missed-voicemail'));
  expect([after(received, voicemail), after(voicemail)].map(lastThing)).toEqual(Array(2).fill('voicemail'));
  const again = after(missed);
  expect(lastThing({ ...again, activity: again.activity + 1 })).toBe('missed');
  expect([after(missed), after(missed, textBack), after(received, missed), after(voicemail, missed, textBack)].map(lastThing)).toEqual(Array(4).fill('missed'));
  expect([after(received), after(missed, received), after(voicemail, received), after(missed, voicemail, reply)].map(lastThing)).toEqual(Array(4).fill('message'));
  expect([after(['call.returned']), after(missed, ['call.returned'])].map(lastThing)).toEqual(['nothing', 'nothing']);
});

test('what somebody answered has nothing left to see, a text after the answer has', () => {
  expect([after(received, reply), after(missed, textBack, ['call.returned']), after(missed, reply)].map(unseen)).toEqual([0, 0, 0]);
  expect([after(received), after(missed, textBack), after(received, reply, received), after(['message.received', { keyword: 'stop' }])].map(unseen)).toEqual([1, 1, 2, 1]);
});
