// What a conversation shows: its events folded into bubbles, notes and lines, with days between.
import type { CarrierError, ConversationEvent, MediaRef, Stamp, Status } from '../types';
import { join } from './row';

/** A message in either direction, a note, or something that happened. */
export type Item =
  | { kind: 'day'; key: string; at: Stamp }
  | { kind: 'message'; key: string; at: Stamp; message: Message; first: boolean; last: boolean }
  | { kind: 'note'; key: string; at: Stamp; by: string; text: string | null }
  | { kind: 'line'; key: string; at: Stamp; event: ConversationEvent };

export interface Message {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly at: Stamp;
  readonly by: string;
  readonly text: string | null;
  readonly media: readonly MediaRef[];
  readonly segments: number;
  readonly erased: boolean;
  readonly purpose: 'reply' | 'text_back' | 'confirmation' | 'campaign' | null;
  readonly keyword: string | null;
  readonly sending: Sending | null;
}

export interface Sending {
  readonly status: Status;
  readonly attempt: number;
  readonly error: CarrierError | null;
  /** When it got where it is. */
  readonly since: Stamp;
  readonly validUntil: Stamp;
  /** It stays here until then, for whoever wants it back; 0: it does not. */
  readonly heldUntil: Stamp;
}

/** Messages of one side within this belong together. */
const TOGETHER_US = 3 * 60 * 1_000_000;

/** What stands in a conversation as a line of its own. The rest is told elsewhere. */
const LINES: ReadonlySet<string> = new Set([
  'call.missed',
  'call.answered',
  'call.voicemail',
  'call.returned',
  'textback.skipped',
  'consent.changed',
  'consent.questioned',
  'consent.recorded',
  'contact.unreachable',
  'contact.merged',
  'contact.blocked',
  'contact.unblocked',
  'conversation.assigned',
  'conversation.resolved',
  'conversation.reopened',
  'conversation.snoozed',
  'conversation.woken',
  'conversation.return_set',
  'conversation.tagged',
  'conversation.parked',
  'conversation.released',
  'message.unprocessed',
]);

export function author(event: ConversationEvent): string {
  return typeof event.by === 'string' ? event.by : event.by.operator;
}

/** Who else has answered the contact after an offset, last; none: nobody has. */
export function answeredSince(events: readonly ConversationEvent[], since: number, me: string): string | null {
  const last = events.findLast((event) => event.offset > since && event.type === 'message.queued' && event.data.purpose === 'reply' && author(event) !== me);
  return last === undefined ? null : author(last);
}

/** The items of a stretch of events. `dayOf` says on which day a moment lies for who looks. */
export function items(events: readonly ConversationEvent[], dayOf: (at: Stamp) => string): Item[] {
  const sends = new Map<string, Sending>();
  for (const event of events) follow(sends, event);
  const found: Item[] = [];
  let day = '';
  for (const event of events) {
    const item = itemOf(event, sends);
    if (item === null) continue;
    const its = dayOf(event.at);
    if (its !== day) found.push({ kind: 'day', key: `day-${its}`, at: event.at });
    day = its;
    group(found, item);
    found.push(item);
  }
  return found;
}

/** Joins a message to the one before it, if it is of the same side and soon after. */
function group(found: readonly Item[], item: Item): void {
  const before = found.at(-1);
  if (item.kind !== 'message' || before?.kind !== 'message') return;
  const same = before.message.direction === item.message.direction && before.message.by === item.message.by;
  if (same && item.at - before.at <= TOGETHER_US) {
    before.last = false;
    item.first = false;
  }
}

function follow(sends: Map<string, Sending>, event: ConversationEvent): void {
  if (event.type === 'message.queued') {
    const { message, valid_until: validUntil } = event.data;
    sends.set(message, { status: 'queued', attempt: 1, error: null, since: event.at, validUntil, heldUntil: 0 });
    return;
  }
  if (event.type === 'message.held') {
    const send = sends.get(event.data.message);
    if (send !== undefined) sends.set(event.data.message, { ...send, heldUntil: event.data.until });
    return;
  }
  if (event.type !== 'message.claimed' && event.type !== 'message.requeued' && event.type !== 'message.status') return;
  const send = sends.get(event.data.message);
  if (send == null) return;
  if (event.type === 'message.claimed') {
    sends.set(event.data.message, { ...send, status: 'claimed', attempt: event.data.attempt, since: event.at });
  } else if (event.type === 'message.requeued') {
    const { attempt, error, valid_until: validUntil } = event.data;
    sends.set(event.data.message, { status: 'queued', attempt, error: error ?? null, since: event.at, validUntil, heldUntil: 0 });
  } else if (event.data.attempt === send.attempt) {
    const status = join(send.status, event.data.status);
    const since = status === send.status ? send.since : event.at;
    sends.set(event.data.message, { ...send, status, since, error: event.data.error ?? send.error });
  }
}

function itemOf(event: ConversationEvent, sends: ReadonlyMap<string, Sending>): Item | null {
  const base = { key: String(event.offset), at: event.at };
  if (event.type === 'note.added') return { ...base, kind: 'note', by: author(event), text: event.text ?? null };
  if (event.type === 'message.received' || event.type === 'message.queued') {
    return { ...base, kind: 'message', message: message(event, sends), first: true, last: true };
  }
  return LINES.has(event.type) ? { ...base, kind: 'line', event } : null;
}

function message(
  event: ConversationEvent & { type: 'message.received' | 'message.queued' },
  sends: ReadonlyMap<string, Sending>,
): Message {
  const shared = {
    id: event.data.message,
    at: event.at,
    by: author(event),
    text: event.text ?? null,
    media: event.media ?? [],
    segments: event.data.segments,
    erased: event.erased === true,
  };
  if (event.type === 'message.received') {
    const keyword = event.data.keyword ?? null;
    return { ...shared, direction: 'inbound', purpose: null, keyword, sending: null };
  }
  const { purpose } = event.data;
  const why = typeof purpose === 'string' ? purpose : 'confirmation';
  return { ...shared, direction: 'outbound', purpose: why, keyword: null, sending: sends.get(event.data.message) ?? null };
}
