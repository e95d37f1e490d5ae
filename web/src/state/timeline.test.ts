// What a conversation shows of its events.
import { expect, test } from 'vitest';
import type { ConversationEvent } from '../types';
import { answeredSince, items } from './timeline';

let offset = 0;
function event(type: string, data: object, more: object = {}): ConversationEvent {
  offset += 1;
  return { offset, at: offset * 1_000_000, conversation: 'c', previous: offset - 1, by: { operator: 'ana' }, via: 'stream', request: 'r', type, data, ...more } as ConversationEvent;
}
const queued = (message: string, more: object = {}): ConversationEvent =>
  event('message.queued', { message, channel: 'l', purpose: 'reply', priority: 'interactive', segments: 1, valid_until: 9e15, template: null }, { text: message, ...more });
const status = (message: string, to: string, attempt = 1): ConversationEvent =>
  event('message.status', { message, attempt, status: to, carrier_id: null, error: null });
const day = (): string => 'today';

test('a status never moves back, and one of an earlier attempt changes nothing', () => {
  const events = [queued('m'), status('m', 'delivered'), status('m', 'sent'), event('message.requeued', { message: 'm', attempt: 2, not_before: 0, valid_until: 1, error: { code: 30003, class: 'transient' } }), status('m', 'delivered', 1)];
  const shown = items(events, day).find((item) => item.kind === 'message');
  expect(shown?.message.sending).toMatchObject({ status: 'queued', attempt: 2, error: { code: 30003 } });
  const before = items(events.slice(0, 3), day).find((item) => item.kind === 'message');
  expect(before?.message.sending?.status).toBe('delivered');
});

test('messages of one side soon after each other are one group, and days stand between', () => {
  const events = [queued('a'), queued('b'), event('message.received', { message: 'c', channel: 'l', carrier_id: 'S', segments: 1, media: 0, keyword: null }, { by: 'contact', text: 'c' }), queued('d', { at: 9e12 })];
  const shown = items(events, (at) => (at > 1e12 ? 'tomorrow' : 'today'));
  expect(shown.map((item) => (item.kind === 'message' ? `${item.message.id}${item.first ? '<' : ''}${item.last ? '>' : ''}` : item.kind))).toEqual(['day', 'a<', 'b>', 'c<>', 'day', 'd<>']);
});

test('a note is a note and never a message; what is no line is not shown', () => {
  const events = [event('note.added', { note: 'n' }, { text: 'inside' }), event('conversation.read', { up_to: 3, operator: 'ana' }), event('conversation.assigned', { operator: 'ana' })];
  expect(items(events, day).map((item) => item.kind)).toEqual(['day', 'note', 'line']);
});

test('somebody else’s answer is noticed from where one began to write, and nothing else is', () => {
  const before = queued('m');
  const [note, text, mine] = [event('note.added', { note: 'n' }, { text: 'inside' }), event('message.queued', { message: 't', channel: 'l', purpose: 'text_back', segments: 1, valid_until: 1 }, { by: 'engine' }), queued('n', { by: { operator: 'jo' } })];
  expect(answeredSince([before, note, text, mine], before.offset, 'jo')).toBe(null);
  const theirs = queued('o');
  expect(answeredSince([before, note, text, mine, theirs], before.offset, 'jo')).toBe('ana');
  expect(answeredSince([before, note, text, mine, theirs], theirs.offset, 'jo')).toBe(null);
});

test('whoever was erased has no text left', () => {
  const shown = items([queued('m', { text: null, erased: true })], day)[1];
  expect(shown).toMatchObject({ kind: 'message', message: { text: null, erased: true } });
});
