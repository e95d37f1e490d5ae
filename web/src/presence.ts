// Who else is here: on which conversation they look, and where they type.
import { signal } from '@preact/signals';
import { identity } from './net/session';
import type { Activity, PresenceInfo } from './types';

interface Here {
  readonly operator: string;
  readonly looking: readonly string[];
  readonly typing: string | null;
}

/** By connection. */
const here = signal<ReadonlyMap<string, Here>>(new Map());
const timers = new Map<string, ReturnType<typeof setTimeout>>();
/** Typing ends by itself, as at the engine. */
const TYPING_MS = 6_000;

export interface News {
  joined?: PresenceInfo;
  left?: PresenceInfo;
  activity?: Activity;
  all?: PresenceInfo[];
}

export function takePresence(news: News): void {
  const next = news.all === undefined ? new Map(here.peek()) : new Map<string, Here>();
  for (const info of news.all ?? []) next.set(info.client, of(info));
  if (news.joined !== undefined) next.set(news.joined.client, of(news.joined));
  if (news.left !== undefined) next.delete(news.left.client);
  if (news.activity !== undefined) act(next, news.activity);
  here.value = next;
}

function of(info: PresenceInfo): Here {
  return { operator: info.user, looking: info.chan_info.looking ?? [], typing: info.chan_info.typing ?? null };
}

function act(next: Map<string, Here>, activity: Activity): void {
  const { client, operator, conversation } = activity;
  const known = next.get(client) ?? { operator, looking: [], typing: null };
  if (activity.type === 'looking') {
    const rest = known.looking.filter((id) => id !== conversation);
    next.set(client, { ...known, looking: activity.on ? [...rest, conversation] : rest });
    return;
  }
  clearTimeout(timers.get(client));
  if (activity.until != null) timers.set(client, setTimeout(() => stop(client), TYPING_MS));
  next.set(client, { ...known, typing: activity.until == null ? null : conversation });
}

function stop(client: string): void {
  const known = here.peek().get(client);
  if (known !== undefined) here.value = new Map(here.peek()).set(client, { ...known, typing: null });
}

/** Other operators at a conversation, each once; who types first. */
export function others(conversation: string): { operator: string; typing: boolean }[] {
  const me = identity.value?.operator;
  const found = new Map<string, boolean>();
  for (const one of here.value.values()) {
    if (one.operator === me) continue;
    const types = one.typing === conversation;
    if (types || one.looking.includes(conversation)) found.set(one.operator, types || (found.get(one.operator) ?? false));
  }
  return [...found].map(([operator, typing]) => ({ operator, typing })).sort((a, b) => Number(b.typing) - Number(a.typing));
}

/** Everybody who is online, for the list of whom to assign to. */
export function online(): string[] {
  return [...new Set([...here.value.values()].map((one) => one.operator))].sort();
}
