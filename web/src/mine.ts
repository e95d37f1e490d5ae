// What the engine keeps for whoever is signed in: their filters of the inbox, whether they are away, and how they want the page.
import { computed, signal } from '@preact/signals';
import { Refused, rest } from './net/rest';
import { say } from './toasts';
import type { Availability, MeView, Preferences, SavedFilter, WeekHours } from './types';
import { words } from './words';
import { adopt, type Language } from './words/language';

/** None: not loaded yet. */
export const mine = signal<MeView | null>(null);
export const filters = computed<readonly SavedFilter[]>(() => mine.value?.filters ?? []);
export const isAway = computed(() => mine.value?.availability === 'away');
export const awayOnes = computed<ReadonlySet<string>>(() => new Set(mine.value?.away ?? []));
/** The filter that narrows the list down now. */
export const chosen = signal<SavedFilter | null>(null);

/** Asks the engine. What cannot be learnt now is learnt with the next event of it. */
export async function learn(at_least: number | null = null): Promise<void> {
  const got = await rest.me(at_least).catch(() => null);
  if (got !== null) mine.value = got;
}

/** Asks, for whoever has just come in: the page is in their language, whatever browser this is. */
export async function arrive(): Promise<void> {
  await learn();
  const known = mine.peek();
  if (known !== null) adopt(known.preferences.language ?? null);
}

/** Nobody is signed in any more. */
export function unlearn(): void {
  mine.value = null;
  chosen.value = null;
}

async function change(act: () => Promise<{ offset: number }>): Promise<boolean> {
  try {
    await learn((await act()).offset);
    return true;
  } catch (error) {
    say({ text: error instanceof Refused ? words.refused(error.problem) : words.cannotReach, kind: 'problem' });
    return false;
  }
}

export function saveFilters(all: readonly SavedFilter[]): Promise<boolean> {
  return change(() => rest.saveFilters(all));
}

export async function setAvailability(availability: Availability): Promise<void> {
  const done = await change(() => rest.setAvailability(availability));
  const until = mine.peek()?.by_hand === true ? (mine.peek()?.until ?? null) : null;
  const text = [availability === 'away' ? words.awayNow : words.backNow, ...(until === null ? [] : [words.thenHours(until)])].join('. ');
  if (done) say({ text, undo: () => void setAvailability(availability === 'away' ? 'available' : 'away') });
}

/** Somebody left without saying so, or is back. */
export async function setAvailabilityOf(operator: string, availability: Availability): Promise<void> {
  const done = await change(() => rest.setAvailabilityOf(operator, availability));
  if (done) say({ text: availability === 'away' ? words.awayThey(operator) : words.backThey(operator) });
}

/** Hours decide at once, and at each of their changes. */
export async function setHours(hours: WeekHours | null): Promise<void> {
  const done = await change(() => rest.setHours(hours));
  if (done) say({ text: hours === null ? words.hoursGone : words.hoursKept });
}

let preferring: Promise<unknown> = Promise.resolve();

/** Those that are named; the others stay, also those that are on their way to the engine. */
function prefer(some: Preferences): Promise<boolean> {
  const known = mine.peek();
  if (known === null) return Promise.resolve(false);
  const preferences = { ...known.preferences, ...some };
  mine.value = { ...known, preferences };
  const done = preferring.then(() => change(() => rest.setPreferences(preferences)));
  preferring = done.then((taken) => (taken ? undefined : learn()));
  return done;
}

export function setHold(hold_s: number): Promise<boolean> {
  return prefer({ hold_s });
}

/** The whole page is in one language: it loads anew. */
export async function chooseLanguage(language: Language | null): Promise<void> {
  if (await prefer({ language })) adopt(language);
}

/** What others change arrives by the stream. */
export function isMine(type: string): boolean {
  return type === 'operator.availability' || type === 'operator.hours' || type === 'settings.filters';
}
