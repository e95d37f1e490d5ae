// Views of the inbox: which rows, in which order, and who waits.
import type { Row, SavedFilter, Stamp } from '../types';
import { unseen } from './last';

export const VIEWS = ['mine', 'unassigned', 'all', 'missed', 'snoozed', 'resolved'] as const;
export type View = (typeof VIEWS)[number];

export function isView(text: string): text is View {
  return (VIEWS as readonly string[]).includes(text);
}

/** Whether a row belongs to a view. */
export function belongs(row: Row, view: View, me: string): boolean {
  if (row.merged_into != null) return false;
  const here = row.open && row.snoozed_until == null;
  switch (view) {
    case 'mine':
      return here && row.assigned === me;
    case 'unassigned':
      return here && row.assigned == null;
    case 'all':
      return here;
    case 'missed':
      return here && row.missed_call != null;
    case 'snoozed':
      return row.open && row.snoozed_until != null;
    case 'resolved':
      return !row.open;
  }
}

/** Whether a row meets all that a filter asks for beside its view. */
export function meets(row: Row, filter: SavedFilter): boolean {
  return (
    (filter.tags ?? []).every((tag) => row.tags.includes(tag)) &&
    (filter.assigned == null || row.assigned === filter.assigned) &&
    (filter.channel == null || row.channel === filter.channel) &&
    (filter.waiting !== true || row.waiting_since != null) &&
    (filter.unread !== true || unseen(row) > 0)
  );
}

/** Newest activity first; snoozed ones by when they come back. */
export function order(view: View): (one: Row, other: Row) => number {
  if (view === 'snoozed') return (one, other) => (one.snoozed_until ?? 0) - (other.snoozed_until ?? 0) || tie(one, other);
  return (one, other) => other.activity - one.activity || tie(one, other);
}

function tie(one: Row, other: Row): number {
  return one.conversation < other.conversation ? -1 : 1;
}

/** The rows of a view, in its order. */
export function list(rows: Iterable<Row>, view: View, me: string): Row[] {
  const found: Row[] = [];
  for (const row of rows) if (belongs(row, view, me)) found.push(row);
  return found.sort(order(view));
}

/** The same as `list`, from the list before: what is almost in order is put in order at once. */
export function relist(before: readonly Row[], rows: ReadonlyMap<string, Row>, view: View, me: string, filter: SavedFilter | null = null): Row[] {
  const here = (row: Row): boolean => belongs(row, view, me) && (filter === null || meets(row, filter));
  const seen = new Set<string>();
  const found: Row[] = [];
  for (const { conversation } of before) {
    const row = rows.get(conversation);
    seen.add(conversation);
    if (row !== undefined && here(row)) found.push(row);
  }
  for (const row of rows.values()) if (!seen.has(row.conversation) && here(row)) found.push(row);
  return found.sort(order(view));
}

export interface Summary {
  /** How many conversations of each view there are. */
  readonly counts: Readonly<Record<View, number>>;
  /** How many contacts wait for a person. */
  readonly waiting: number;
  /** Since when the longest of them does. */
  readonly longest: Stamp | null;
  /** How many conversations hold something that nobody has seen. */
  readonly unread: number;
}

/** The line at the top, and the numbers beside the views. */
export function summary(rows: Iterable<Row>, me: string): Summary {
  const counts: Record<View, number> = { mine: 0, unassigned: 0, all: 0, missed: 0, snoozed: 0, resolved: 0 };
  let waiting = 0;
  let longest: Stamp | null = null;
  let unread = 0;
  for (const row of rows) {
    if (row.merged_into != null) continue;
    if (!row.open) {
      counts.resolved += 1;
      continue;
    }
    if (row.snoozed_until != null) {
      counts.snoozed += 1;
      continue;
    }
    counts.all += 1;
    if (row.assigned === me) counts.mine += 1;
    else if (row.assigned == null) counts.unassigned += 1;
    if (row.missed_call != null) counts.missed += 1;
    if (unseen(row) > 0) unread += 1;
    if (row.waiting_since == null) continue;
    waiting += 1;
    if (longest === null || row.waiting_since < longest) longest = row.waiting_since;
  }
  return { counts, waiting, longest, unread };
}
