// The desk's state: a pure function of what was loaded and what the stream told, in whatever pieces both came.
//
// A row knows the last offset it includes, and an event the offset of its conversation's event before it. So an event is
// folded in once, in order, or not at all: what comes again is dropped, what does not fit is kept and the row asked for.
import type { ConversationEvent, ConversationPage, ConversationView, InboxPage, Published, Row } from '../types';
import { isOfConversation } from '../types';
import { applyToRow, firstRow } from './row';

/** A stretch of a conversation that is on the screen, or was. */
export interface Timeline {
  /** In the order of their offsets, each once. */
  readonly events: readonly ConversationEvent[];
  /** There is more before this offset; none: this is the beginning. */
  readonly before: number | null;
  /** Whether its newest page was loaded: before that, events are only kept. */
  readonly loaded: boolean;
}

export interface DeskState {
  /** Which log; none: nothing was loaded yet. */
  readonly epoch: string | null;
  /** Everything up to here was folded in. */
  readonly offset: number;
  readonly rows: ReadonlyMap<string, Row>;
  /** Events of conversations whose rows are missing or behind: kept until the row is loaded. */
  readonly waiting: ReadonlyMap<string, readonly ConversationEvent[]>;
  readonly timelines: ReadonlyMap<string, Timeline>;
}

export type Input =
  | { type: 'inbox'; page: InboxPage }
  | { type: 'conversation'; view: ConversationView }
  | { type: 'events'; events: readonly { offset: number; data: Published }[] }
  | { type: 'watch'; conversation: string }
  | { type: 'timeline'; conversation: string; page: ConversationPage; older: boolean }
  | { type: 'forget'; conversation: string };

export const EMPTY: DeskState = { epoch: null, offset: 0, rows: new Map(), waiting: new Map(), timelines: new Map() };

export function reduce(state: DeskState, input: Input): DeskState {
  switch (input.type) {
    case 'inbox':
      return inbox(state, input.page);
    case 'conversation':
      return putRows(state, [input.view]);
    case 'events':
      return events(state, input.events);
    case 'watch':
      return withTimeline(state, input.conversation, (known) => known ?? { events: [], before: null, loaded: false });
    case 'timeline':
      return withTimeline(state, input.conversation, (known) => merged(known, input.page, input.older));
    case 'forget': {
      const timelines = new Map(state.timelines);
      timelines.delete(input.conversation);
      return { ...state, timelines };
    }
  }
}

/** The first page says where the stream goes on from; later ones only add rows. */
function inbox(state: DeskState, page: InboxPage): DeskState {
  const begun = state.epoch === null ? { ...state, epoch: page.epoch, offset: page.offset } : state;
  return putRows(begun, page.rows);
}

function putRows(state: DeskState, loaded: readonly Row[]): DeskState {
  const rows = new Map(state.rows);
  const waiting = new Map(state.waiting);
  for (const row of loaded) {
    const known = rows.get(row.conversation);
    if (known != null && known.last >= row.last && !waiting.has(row.conversation)) continue;
    const kept = waiting.get(row.conversation) ?? [];
    waiting.delete(row.conversation);
    let next = known != null && known.last >= row.last ? known : plain(row);
    const rest: ConversationEvent[] = [];
    for (const event of kept) {
      if (event.offset <= next.last) continue;
      if ((event.previous ?? 0) <= next.last && rest.length === 0) next = applyToRow(next, event);
      else rest.push(event);
    }
    rows.set(row.conversation, next);
    if (rest.length > 0) waiting.set(row.conversation, rest);
  }
  return { ...state, rows, waiting };
}

/** A view of one conversation has a position of its own, which is no part of the row. */
function plain(row: Row & { epoch?: string; offset?: number }): Row {
  const { epoch: _epoch, offset: _offset, ...rest } = row;
  return rest;
}

function events(state: DeskState, published: readonly { offset: number; data: Published }[]): DeskState {
  const rows = new Map(state.rows);
  const waiting = new Map(state.waiting);
  let timelines = state.timelines;
  let offset = state.offset;
  for (const { offset: at, data } of published) {
    // The stream is dense and in order: what is not beyond our position was folded in already.
    if (at <= offset) continue;
    offset = at;
    if (!isOfConversation(data)) continue;
    fold(rows, waiting, data);
    const timeline = timelines.get(data.conversation);
    if (timeline != null) timelines = new Map(timelines).set(data.conversation, extended(timeline, [data]));
  }
  return { ...state, rows, waiting, timelines, offset };
}

function fold(rows: Map<string, Row>, waiting: Map<string, readonly ConversationEvent[]>, event: ConversationEvent): void {
  const id = event.conversation;
  const row = rows.get(id);
  const kept = waiting.get(id);
  if (kept != null) {
    waiting.set(id, [...kept, event]);
    return;
  }
  if (row == null) {
    const first = firstRow(event);
    if (first == null) waiting.set(id, [event]);
    else rows.set(id, first);
    return;
  }
  if (event.offset <= row.last) return;
  if ((event.previous ?? 0) > row.last) waiting.set(id, [event]);
  else rows.set(id, applyToRow(row, event));
}

function withTimeline(state: DeskState, id: string, change: (known: Timeline | undefined) => Timeline): DeskState {
  const timelines = new Map(state.timelines);
  timelines.set(id, change(timelines.get(id)));
  return { ...state, timelines };
}

function merged(known: Timeline | undefined, page: ConversationPage, older: boolean): Timeline {
  const base = known ?? { events: [], before: null, loaded: false };
  const added = page.events.filter(isOfConversation);
  const before = older || !base.loaded ? (page.before ?? null) : base.before;
  return { ...extended(base, added), before, loaded: true };
}

/** In order, each once. Almost always the new ones simply follow, or simply precede. */
function extended(timeline: Timeline, added: readonly ConversationEvent[]): Timeline {
  const last = timeline.events.at(-1)?.offset ?? 0;
  if (added.every((event, at) => event.offset > (added[at - 1]?.offset ?? last))) {
    return { ...timeline, events: [...timeline.events, ...added] };
  }
  const byOffset = new Map(timeline.events.map((event) => [event.offset, event]));
  for (const event of added) byOffset.set(event.offset, event);
  const events = [...byOffset.values()].sort((one, other) => one.offset - other.offset);
  return { ...timeline, events };
}
