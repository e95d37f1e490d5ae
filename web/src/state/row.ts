// The fold of a conversation's events into its row: what actors/src/conversation/apply.rs does, for what lists show.
import type { ConversationEvent, Row, Status } from '../types';

const PREVIEW_MAX = 140;

const RANK: Record<Status, number> = {
  queued: 0,
  claimed: 1,
  unknown: 2,
  sent: 3,
  failed: 4,
  canceled: 5,
  expired: 5,
  delivered: 6,
  read: 7,
};

/** The higher of two statuses: what comes late or twice changes nothing. */
export function join(one: Status, other: Status): Status {
  return RANK[other] > RANK[one] ? other : one;
}

/** A conversation's first row, from its first event. */
export function firstRow(event: ConversationEvent): Row | null {
  if (event.type !== 'contact.created') return null;
  return {
    conversation: event.conversation,
    contact: event.data.contact,
    last: event.offset,
    ...(event.name != null && { name: event.name }),
    ...(event.address != null && { address: event.address }),
    reachable: event.data.reachable,
    open: true,
    episode: 1,
    tags: [],
    unread: 0,
    read_up_to: 0,
    last_inbound: 0,
    activity: event.at,
    consent: 'implied',
    parked: false,
    unprocessed: 0,
    ...(event.erased === true && { erased: true }),
  };
}

/** The row after an event. The event is the conversation's next: its `previous` is the row's `last`. */
export function applyToRow(row: Row, event: ConversationEvent): Row {
  const next: Row = { ...row, last: event.offset };
  change(next, event);
  return next;
}

function inbound(row: Row, event: ConversationEvent): void {
  row.activity = event.at;
  if (row.blocked != null) return;
  row.unread += 1;
  row.last_inbound = event.offset;
  row.waiting_since ??= event.at;
}

function preview(text: string): string {
  const characters = [...text];
  return characters.length > PREVIEW_MAX ? `${characters.slice(0, PREVIEW_MAX).join('')}…` : text;
}

function speak(row: Row, event: ConversationEvent, message: string, direction: 'inbound' | 'outbound'): void {
  row.last_message = {
    message,
    offset: event.offset,
    at: event.at,
    direction,
    ...(event.text != null && { text: preview(event.text) }),
    media: event.media?.length ?? 0,
    ...(direction === 'outbound' && { status: 'queued' as const }),
  };
}

/** Status of the last message, if it is the one meant. */
function status(row: Row, message: string, to: (from: Status) => Status): void {
  const last = row.last_message;
  if (last?.message === message && last.status != null) row.last_message = { ...last, status: to(last.status) };
}

function change(row: Row, event: ConversationEvent): void {
  switch (event.type) {
    case 'message.received': {
      row.channel = event.data.channel;
      inbound(row, event);
      speak(row, event, event.data.message, 'inbound');
      // The engine or the carrier answers a keyword: nobody waits for a person because of it.
      if (event.data.keyword != null && row.waiting_since === event.at) delete row.waiting_since;
      break;
    }
    case 'message.queued':
      speak(row, event, event.data.message, 'outbound');
      row.activity = event.at;
      if (event.data.purpose === 'reply') {
        delete row.waiting_since;
        delete row.missed_call;
        row.channel = event.data.channel;
      }
      break;
    case 'message.claimed':
      status(row, event.data.message, () => 'claimed');
      break;
    case 'message.requeued':
      status(row, event.data.message, () => 'queued');
      break;
    case 'message.status': {
      const to = event.data.status;
      status(row, event.data.message, (from) => join(from, to));
      break;
    }
    case 'message.unprocessed':
      row.unprocessed += 1;
      inbound(row, event);
      break;
    case 'message.replayed':
      row.unprocessed = Math.max(0, row.unprocessed - 1);
      break;
    case 'call.missed':
      row.channel = event.data.channel;
      if (row.blocked == null) row.missed_call = event.at;
      inbound(row, event);
      break;
    case 'call.voicemail':
      row.channel = event.data.channel;
      inbound(row, event);
      break;
    case 'call.returned':
      row.activity = event.at;
      delete row.waiting_since;
      delete row.missed_call;
      break;
    case 'call.answered':
      row.channel = event.data.channel;
      row.activity = event.at;
      delete row.waiting_since;
      delete row.missed_call;
      break;
    default:
      changeDesk(row, event);
  }
}

function changeDesk(row: Row, event: ConversationEvent): void {
  switch (event.type) {
    case 'contact.updated':
      if (event.data.named) {
        if (event.name != null) row.name = event.name;
        else delete row.name;
      }
      break;
    case 'consent.changed':
      row.consent = event.data.consent;
      row.consent_source = event.data.source;
      // Nobody may write to them: they do not wait for it either.
      if (event.data.consent === 'opted_out') delete row.waiting_since;
      break;
    case 'consent.recorded':
      row.consent = 'opted_in';
      row.consent_source = 'admin';
      break;
    case 'contact.unreachable':
      row.unreachable = event.data.code;
      break;
    case 'contact.blocked':
      row.blocked = event.data.why;
      row.unread = 0;
      delete row.waiting_since;
      delete row.missed_call;
      break;
    case 'contact.unblocked':
      delete row.blocked;
      break;
    case 'contact.merged':
      row.merged_into = event.data.into;
      break;
    case 'conversation.assigned':
      if (event.data.operator != null) row.assigned = event.data.operator;
      else delete row.assigned;
      break;
    case 'conversation.resolved':
      row.open = false;
      delete row.snoozed_until;
      delete row.waiting_since;
      delete row.missed_call;
      break;
    case 'conversation.reopened':
      row.open = true;
      row.episode = event.data.episode;
      row.activity = event.at;
      break;
    case 'conversation.snoozed':
      row.snoozed_until = event.data.until;
      break;
    case 'conversation.woken':
      delete row.snoozed_until;
      row.activity = event.at;
      break;
    case 'conversation.tagged':
      row.tags = event.data.tags;
      break;
    case 'conversation.read':
      row.read_up_to = Math.max(row.read_up_to, event.data.up_to);
      if (event.data.up_to >= row.last_inbound) row.unread = 0;
      break;
    case 'conversation.parked':
      row.parked = true;
      break;
    case 'conversation.released':
      row.parked = false;
      break;
    default:
  }
}
