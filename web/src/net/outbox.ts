// What this operator asked for and the engine has not confirmed: shown at once, kept over a reload, asked again with the
// same key until there is an answer. The same key is done once, however often it is asked.
import { signal } from '@preact/signals';
import type { Problem, Reply, Row } from '../types';
import { keep, kept, namesKept } from './keep';
import { Refused, Unreachable, rest } from './rest';

export interface Order {
  readonly key: string;
  readonly owner: string;
  readonly conversation: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** When it was asked, in microseconds since the epoch. */
  readonly at: number;
  /** A text or a note is shown as a bubble; anything else as what it makes of the row. */
  readonly bubble: 'message' | 'note' | null;
  readonly patch: Partial<Row> | null;
  /** `waiting`: not asked yet, or the one before is under way. `held`: no answer; it is asked again. */
  readonly state: 'waiting' | 'asking' | 'held' | 'taken' | 'refused';
  /** What the engine said. */
  readonly reply: Reply | null;
  readonly problem: Problem | null;
}

/** In the order they were asked. */
export const orders = signal<readonly Order[]>([]);

/** Told of every refusal that no bubble shows. */
let refused: (order: Order, problem: Problem) => void = () => undefined;
const busy = new Set<string>();
let owner = '';

/** Begins, with what an earlier page could not get confirmed. */
export function open(who: string, onRefused: typeof refused): void {
  owner = who;
  refused = onRefused;
  const before = namesKept(`outbox.${owner}.`).map((name) => kept(name) as Order);
  before.sort((one, other) => one.at - other.at);
  orders.value = before.map((order) => (order.state === 'refused' ? order : { ...order, state: 'held' as const }));
  resume();
}

/** What a bubble says. */
export function textOf(order: Order): string {
  const { text } = order.body;
  return typeof text === 'string' ? text : '';
}

export interface Asked {
  readonly conversation: string;
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly bubble?: 'message' | 'note';
  readonly patch?: Partial<Row>;
  /** Told of a refusal instead of the usual notice; not after a reload. */
  readonly refused?: (problem: Problem) => void;
}

/** Refusals that somebody wants to hear of. */
const hearers = new Map<string, (problem: Problem) => void>();

/** Asks. It shows at once. */
export function ask(asked: Asked): Order {
  const order: Order = {
    key: crypto.randomUUID(),
    owner,
    conversation: asked.conversation,
    path: asked.path,
    body: asked.body ?? {},
    at: Date.now() * 1_000,
    bubble: asked.bubble ?? null,
    patch: asked.patch ?? null,
    state: 'waiting',
    reply: null,
    problem: null,
  };
  if (asked.refused !== undefined) hearers.set(order.key, asked.refused);
  store(order, true);
  orders.value = [...orders.peek(), order];
  void work(order.conversation);
  return order;
}

/** Forgets an order that was refused, or that the log shows. */
export function drop(keys: ReadonlySet<string>): void {
  if (keys.size === 0) return;
  for (const order of orders.peek()) if (keys.has(order.key)) store(order, false);
  orders.value = orders.peek().filter((order) => !keys.has(order.key));
}

/** The engine is there again. */
export function resume(): void {
  for (const conversation of new Set(orders.peek().map((order) => order.conversation))) void work(conversation);
}

/** Each order is kept by itself, so that two windows do not overwrite each other. What was taken is in the log. */
function store(order: Order, there: boolean): void {
  keep(`outbox.${owner}.${order.key}`, there && order.state !== 'taken' ? order : null);
}

function update(key: string, change: Partial<Order>): void {
  orders.value = orders.peek().map((order) => {
    if (order.key !== key) return order;
    const next = { ...order, ...change };
    store(next, true);
    return next;
  });
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** One conversation's orders go one after the other, so that what was written first arrives first. */
async function work(conversation: string): Promise<void> {
  if (busy.has(conversation)) return;
  busy.add(conversation);
  let wait = FIRST_WAIT_MS;
  try {
    for (;;) {
      const order = orders.peek().find((one) => one.conversation === conversation && one.state !== 'taken' && one.state !== 'refused');
      if (order === undefined) return;
      const again = await once(order);
      if (again === null) wait = FIRST_WAIT_MS;
      else await sleep(again === 0 ? wait : again);
      if (again !== null) wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  } finally {
    busy.delete(conversation);
  }
}

/** Null: there is an answer. Else after how long to ask again; 0: as usual. */
async function once(order: Order): Promise<number | null> {
  update(order.key, { state: order.state === 'held' ? 'held' : 'asking' });
  try {
    const reply = await rest.command(order.path, order.body, order.key);
    update(order.key, { state: 'taken', reply });
    return null;
  } catch (error) {
    if (error instanceof Refused && !error.temporary && error.problem.status !== 401) {
      update(order.key, { state: 'refused', problem: error.problem, patch: null });
      if (order.bubble === null) {
        (hearers.get(order.key) ?? ((problem: Problem) => refused(order, problem)))(error.problem);
        hearers.delete(order.key);
        drop(new Set([order.key]));
      }
      return null;
    }
    if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    update(order.key, { state: 'held' });
    return error instanceof Refused ? (error.retryAfterMs ?? 0) : 0;
  }
}

const wakers = new Set<() => void>();

/** Ends early when the engine is back. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      wakers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    wakers.add(wake);
  });
}

/** Asks everything that is held at once. */
export function hurry(): void {
  for (const wake of [...wakers]) wake();
  resume();
}
