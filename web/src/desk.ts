// The desk at work: loads, follows the stream, and does what operators ask. The screen reads signals and calls actions.
import { computed, effect, signal, untracked } from '@preact/signals';
import { drop, hurry, open as openOutbox, orders, ask, type Order } from './net/outbox';
import { rest } from './net/rest';
import { distrust, enter, forget, identity, signOut } from './net/session';
import { Stream } from './net/stream';
import { arrive, chosen, isMine, learn, unlearn } from './mine';
import { takePresence } from './presence';
import { route } from './route';
import { EMPTY, reduce, type DeskState, type Input } from './state/reduce';
import { relist, summary, type View } from './state/views';
import { say } from './toasts';
import type { BlockReason, Row } from './types';
import { putBack, takeOut } from './ui/drafts';
import { words } from './words';

const state = signal<DeskState>(EMPTY);
/** The first page is there: the list can be shown. */
export const ready = signal(false);
/** All open conversations are loaded: the counts are whole. */
export const whole = signal(false);
/** Why the first load does not succeed, if it does not. */
export const trouble = signal(false);
/** Where the next page of resolved conversations begins; null: there are no more; undefined: none was asked for. */
const resolvedNext = signal<string | null | undefined>(undefined);

/** Rows with what was asked for and is not confirmed yet laid over them. */
export const rows = computed<ReadonlyMap<string, Row>>(() => {
  const base = state.value.rows;
  const patches = orders.value.filter((order) => order.patch !== null);
  if (patches.length === 0) return base;
  const patched = new Map(base);
  for (const order of patches) {
    const row = patched.get(order.conversation);
    if (row !== undefined && !isShown(order)) patched.set(order.conversation, { ...row, ...order.patch });
  }
  return patched;
});

/** The last offset that is on the screen: it moves whenever something happened. */
export const head = computed(() => state.value.offset);

export const me = computed(() => identity.value?.operator ?? '');
let listedBefore: { view: View; list: readonly Row[] } = { view: 'all', list: [] };
/** The rows of the view, in its order. */
export const listed = computed(() => {
  const { view } = route.value;
  const before = listedBefore.view === view ? listedBefore.list : [];
  const filter = chosen.value !== null && chosen.value.view === view ? chosen.value : null;
  const found = relist(before, rows.value, view, me.value, filter);
  listedBefore = { view, list: found };
  return found;
});
export const totals = computed(() => summary(rows.value.values(), me.value));
export const current = computed(() => (route.value.conversation === null ? null : (rows.value.get(route.value.conversation) ?? null)));
export const timeline = computed(() => (route.value.conversation === null ? null : (state.value.timelines.get(route.value.conversation) ?? null)));
/** The name of the operator is shown in conversations of others; one's own is "You". */
export const mayWrite = computed(() => identity.value !== null && identity.value.role !== 'viewer');

/** Whether settings are this person's business. */
export const mayAdminister = computed(() => identity.value?.role === 'admin' || identity.value?.role === 'owner');

let stream: Stream | null = null;
let generation = 0;

const PAGE = 200;
const STRETCH = 80;
/** Beyond this many open conversations the rest is loaded as the list is scrolled. */
const EAGER_MAX = 20_000;

function put(input: Input): void {
  state.value = reduce(state.peek(), input);
  fetchMissing();
  forgetConfirmed();
}

/** Begins for whoever is signed in; again for somebody else. */
export async function begin(): Promise<void> {
  const who = identity.peek();
  if (who === null) return;
  end();
  const mine = generation;
  void arrive();
  openOutbox(`${who.tenant}.${who.operator}`, (_, problem) => say({ text: words.refused(problem), kind: 'problem' }));
  await load(mine, who.tenant);
}

function end(): void {
  unlearn();
  generation += 1;
  stream?.close();
  stream = null;
  state.value = EMPTY;
  ready.value = false;
  whole.value = false;
  resolvedNext.value = undefined;
}

/** The page first: it says from where the stream goes on. Nothing falls between the two. */
async function load(mine: number, tenant: string): Promise<void> {
  let wait = 500;
  for (;;) {
    try {
      const page = await rest.inbox(true, null, PAGE);
      if (mine !== generation) return;
      put({ type: 'inbox', page });
      trouble.value = false;
      ready.value = true;
      begin_stream(tenant, page);
      reopen();
      await loadRest(mine, page.next ?? null);
      return;
    } catch {
      if (mine !== generation) return;
      trouble.value = true;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, 5_000);
    }
  }
}

function begin_stream(tenant: string, position: { epoch: string; offset: number }): void {
  stream = new Stream(tenant, { epoch: position.epoch, offset: position.offset }, {
    events: (events) => {
      put({ type: 'events', events });
      if (events.some(({ data }) => isMine(data.type))) void learn();
    },
    lost: () => {
      say({ text: words.reloaded });
      void begin();
    },
    ended,
    presence: takePresence,
    back: hurry,
  });
  stream.connect();
  stream.look(route.peek().conversation);
}

/** What this person may see is not what it was. */
const INVALIDATED = 3014;
/** The engine's key for tokens is not the one of before. */
const INVALID_TOKEN = 3500;

/** The stream is over for good. An engine that was set up anew, or has new keys, lets in again whom it knows. */
function ended(code: number): void {
  if (code === INVALIDATED) void (identity.peek()?.by === 'token' ? begin() : readmit());
  else if (code === INVALID_TOKEN && identity.peek()?.by !== 'token') void readmit();
  else if (code >= INVALID_TOKEN || code === 101 || code === 103) forget();
}

async function readmit(): Promise<void> {
  distrust();
  const isIn = await enter().catch(() => null);
  if (isIn === null) {
    // The engine is away: nobody is shown out for that.
    setTimeout(() => void readmit(), 1_000);
    return;
  }
  if (!isIn) {
    forget();
    return;
  }
  say({ text: words.reloaded });
  await begin();
}

async function loadRest(mine: number, next: string | null): Promise<void> {
  let cursor = next;
  while (cursor !== null && state.peek().rows.size < EAGER_MAX) {
    const page = await rest.inbox(true, cursor, PAGE).catch(() => null);
    if (mine !== generation) return;
    if (page === null) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      continue;
    }
    put({ type: 'inbox', page });
    cursor = page.next ?? null;
  }
  whole.value = cursor === null;
}

let loadingResolved = false;

/** The next page of resolved conversations, if there is one. */
export async function moreResolved(): Promise<void> {
  const cursor = resolvedNext.peek();
  if (loadingResolved || cursor === null || !ready.peek()) return;
  loadingResolved = true;
  const mine = generation;
  const page = await rest.inbox(false, cursor ?? null, PAGE).catch(() => null);
  loadingResolved = false;
  if (page === null || mine !== generation) return;
  put({ type: 'inbox', page });
  resolvedNext.value = page.next ?? null;
}

const asked = new Set<string>();

/** Rows that events named and nobody has loaded. */
function fetchMissing(): void {
  for (const id of state.peek().waiting.keys()) {
    if (asked.has(id)) continue;
    asked.add(id);
    const mine = generation;
    const fetched = rest.conversation(id).then(
      (view) => mine === generation && put({ type: 'conversation', view }),
      () => undefined,
    );
    void fetched.finally(() => setTimeout(() => {
      asked.delete(id);
      if (mine === generation) fetchMissing();
    }, 500));
  }
}

/** Whether the log shows what was asked. */
function isShown(order: Order): boolean {
  if (order.reply === null) return false;
  return state.peek().offset >= order.reply.offset;
}

function forgetConfirmed(): void {
  untracked(() => drop(new Set(orders.peek().filter((order) => order.state === 'taken' && isShown(order)).map((order) => order.key))));
}

/** What is on the screen is loaded, watched, and told to the others. */
function reopen(): void {
  const { conversation } = route.peek();
  if (conversation === null || !ready.peek()) return;
  void openConversation(conversation);
}

async function openConversation(id: string): Promise<void> {
  const mine = generation;
  if (state.peek().timelines.get(id)?.loaded === true) return;
  // Watched first, and then read up to what has passed: what comes meanwhile is kept.
  put({ type: 'watch', conversation: id });
  const at_least = state.peek().offset;
  try {
    const known = state.peek().rows.has(id) ? null : rest.conversation(id);
    const page = await rest.events(id, { at_least, limit: STRETCH });
    if (mine !== generation) return;
    put({ type: 'timeline', conversation: id, page, older: false });
    const view = await known;
    if (view !== null) put({ type: 'conversation', view });
  } catch {
    if (mine === generation && route.peek().conversation === id) {
      setTimeout(() => {
        if (mine === generation && route.peek().conversation === id) void openConversation(id);
      }, 1_500);
    }
  }
}

const loadingOlder = new Set<string>();

/** What came before what is shown. */
export async function older(id: string): Promise<void> {
  const before = state.peek().timelines.get(id)?.before ?? null;
  if (before === null || loadingOlder.has(id)) return;
  loadingOlder.add(id);
  const mine = generation;
  const page = await rest.events(id, { before, limit: STRETCH }).catch(() => null);
  loadingOlder.delete(id);
  if (page !== null && mine === generation) put({ type: 'timeline', conversation: id, page, older: true });
}

let shown: string | null = null;
const recent: string[] = [];
/** Conversations that stay loaded, so that going back is instant. */
const RECENT_MAX = 30;

effect(() => {
  const { conversation, view } = route.value;
  const there = ready.value;
  untracked(() => {
    if (view === 'resolved' && there && resolvedNext.peek() === undefined) void moreResolved();
    if (!there || conversation === shown) return;
    shown = conversation;
    stream?.look(conversation);
    if (conversation === null) return;
    recent.splice(0, recent.length, conversation, ...recent.filter((id) => id !== conversation));
    for (const old of recent.splice(RECENT_MAX)) put({ type: 'forget', conversation: old });
    void openConversation(conversation);
  });
});

effect(() => {
  // Whoever signs out leaves nothing of the business on the screen.
  if (identity.value === null) untracked(end);
});

export function leave(): void {
  signOut();
}

export function nudge(): void {
  stream?.nudge();
  hurry();
}

export function typing(conversation: string, on: boolean): void {
  stream?.typing(conversation, on);
}

// What operators ask for.

function command(conversation: string, name: string, body: Record<string, unknown>, patch: Partial<Row>): Order {
  return ask({ conversation, path: `/v1/conversations/${conversation}/${name}`, body, patch });
}

/** A key of a row that is to be absent: patches lay `undefined` over it. */
const NONE = undefined as never;

export const actions = {
  send(conversation: string, text: string, hold_s: number): void {
    const body = hold_s === 0 ? { text } : { text, hold_s };
    ask({ conversation, path: `/v1/conversations/${conversation}/messages`, body, bubble: 'message', patch: { waiting_since: NONE } });
  },
  /** Takes back what is held; its text is put back where it was written. */
  takeBack(conversation: string, message: string, text: string): void {
    putBack(conversation, text, 'message');
    const refused = (): void => {
      takeOut(conversation, text, 'message');
      say({ text: words.leftAlready, kind: 'problem' });
    };
    ask({ conversation, path: `/v1/messages/${message}/cancel`, refused });
  },
  called(row: Row): void {
    command(row.conversation, 'called', {}, { missed_call: NONE, waiting_since: NONE });
    say({ text: words.calledNow(row) });
  },
  note(conversation: string, text: string): void {
    ask({ conversation, path: `/v1/conversations/${conversation}/notes`, body: { text }, bubble: 'note' });
  },
  assign(row: Row, operator: string | null): void {
    const before = row.assigned ?? null;
    if (before === operator) return;
    command(row.conversation, 'assign', { operator }, { assigned: operator ?? NONE });
    say({
      text: operator === null ? words.unassignedNow : operator === me.peek() ? words.yoursNow : words.assignedNow(operator),
      undo: () => command(row.conversation, 'assign', { operator: before }, { assigned: before ?? NONE }),
    });
  },
  resolve(row: Row): void {
    command(row.conversation, 'resolve', {}, { open: false, waiting_since: NONE, missed_call: NONE, snoozed_until: NONE });
    say({ text: words.resolvedNow(row), undo: () => actions.reopen(row) });
  },
  reopen(row: Row): void {
    command(row.conversation, 'reopen', {}, { open: true });
  },
  snooze(row: Row, until: Date): void {
    command(row.conversation, 'snooze', { until: until.getTime() * 1_000 }, { snoozed_until: until.getTime() * 1_000 });
    say({ text: words.snoozedNow(row, until) });
  },
  assignMany(rows: readonly Row[], operator: string | null): void {
    const changed = rows.filter((row) => (row.assigned ?? null) !== operator);
    const give = (row: Row, to: string | null): Order => command(row.conversation, 'assign', { operator: to }, { assigned: to ?? NONE });
    changed.forEach((row) => give(row, operator));
    const undo = (): void => changed.forEach((row) => give(row, row.assigned ?? null));
    say({ text: operator === null ? words.manyUnassigned(changed.length) : words.manyYours(changed.length), undo });
  },
  resolveMany(rows: readonly Row[]): void {
    const open = rows.filter((row) => row.open);
    for (const row of open) command(row.conversation, 'resolve', {}, { open: false, waiting_since: NONE, missed_call: NONE, snoozed_until: NONE });
    say({ text: words.manyResolved(open.length), undo: () => open.forEach((row) => actions.reopen(row)) });
  },
  reopenMany(rows: readonly Row[]): void {
    for (const row of rows) actions.reopen(row);
    say({ text: words.manyReopened(rows.length) });
  },
  snoozeMany(rows: readonly Row[], until: Date): void {
    const at = until.getTime() * 1_000;
    for (const row of rows) command(row.conversation, 'snooze', { until: at }, { snoozed_until: at });
    say({ text: words.manySnoozed(rows.length, until) });
  },
  tagMany(rows: readonly Row[], tag: string): void {
    const without = rows.filter((row) => !row.tags.includes(tag));
    without.forEach((row) => actions.tag(row, [tag], []));
    const undo = (): void => without.forEach((row) => actions.tag({ ...row, tags: [...row.tags, tag] }, [], [tag]));
    say({ text: words.manyTagged(without.length, tag), undo });
  },
  tag(row: Row, add: string[], remove: string[]): void {
    const tags = [...new Set([...row.tags.filter((tag) => !remove.includes(tag)), ...add])].sort();
    command(row.conversation, 'tags', { add, remove }, { tags });
  },
  read(row: Row): void {
    command(row.conversation, 'read', { up_to: row.last }, { unread: 0 });
  },
  optOut(row: Row, reason: string): void {
    command(row.conversation, 'opt-out', reason === '' ? {} : { reason }, { consent: 'opted_out', consent_source: 'operator' });
    say({ text: words.optedOutNow, undo: () => actions.optIn(row) });
  },
  optIn(row: Row): void {
    command(row.conversation, 'opt-in', {}, {});
  },
  block(row: Row, why: BlockReason): void {
    command(row.conversation, 'block', { why }, { blocked: why, open: false, unread: 0, waiting_since: NONE, missed_call: NONE, snoozed_until: NONE });
    say({ text: words.blockedNow(words.who(row), why), undo: () => actions.unblock(row) });
  },
  unblock(row: Row): void {
    command(row.conversation, 'unblock', {}, { blocked: NONE });
  },
  edit(row: Row, change: { name?: string; notes?: string }): void {
    command(row.conversation, 'contact', change, change.name === undefined ? {} : { name: change.name });
  },
  retry(conversation: string, message: string): void {
    ask({ conversation, path: `/v1/messages/${message}/retry` });
  },
  cancel(conversation: string, message: string): void {
    ask({ conversation, path: `/v1/messages/${message}/cancel` });
  },
};

export function viewOf(row: Row): View {
  return row.open ? 'all' : 'resolved';
}
