// Times as people read them, by the page's locale. Stamps are microseconds since the epoch.
import { signal } from '@preact/signals';
import { locale } from './words/language';
import type { Stamp } from './types';

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(locale, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });
const dayKey = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short' });
const dayMonth = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' });
export const whole = new Intl.NumberFormat(locale);
export const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });

/** Moves on by itself, so that waiting times do. */
export const now = signal(Date.now() * 1_000);
setInterval(() => (now.value = Date.now() * 1_000), 5_000);

/** Moves on each second, for what is counted down. Only while somebody looks. */
export const tick = signal(Date.now() * 1_000, {
  watched() {
    this.value = Date.now() * 1_000;
    ticking = setInterval(() => (this.value = Date.now() * 1_000), 250);
  },
  unwatched() {
    clearInterval(ticking);
  },
});
let ticking: ReturnType<typeof setInterval> | undefined;

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function asDate(at: Stamp): Date {
  return new Date(at / 1_000);
}

export function time(at: Stamp): string {
  return clock.format(asDate(at));
}

export function fully(at: Stamp): string {
  return full.format(asDate(at));
}

export function dayOf(at: Stamp): string {
  return dayKey.format(asDate(at));
}

/** For lists: the time today, the weekday this week, else the date. */
export function short(at: Stamp): string {
  if (dayOf(at) === dayOf(now.value)) return time(at);
  return now.value - at < 6 * DAY && at <= now.value ? dayAndTime.format(asDate(at)) : date.format(asDate(at));
}

export function when(at: Date): string {
  return dayOf(at.getTime() * 1_000) === dayOf(now.peek()) ? clock.format(at) : dayAndTime.format(at);
}

/** When work begins, so many days from today. */
export function morning(days: number): Date {
  const today = new Date();
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() + days, 8);
}

export function dayName(at: Stamp, words: { today: string; yesterday: string }): string {
  const day = dayOf(at);
  if (day === dayOf(now.value)) return words.today;
  if (day === dayOf(now.value - DAY)) return words.yesterday;
  return longDay.format(asDate(at));
}

export function dayShort(at: Stamp): string {
  return dayMonth.format(asDate(at));
}

/** The days of the week from Monday on, by their names. */
export const dayNames: readonly string[] = Array.from({ length: 7 }, (_, day) =>
  new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + day)),
);

/** For what is to come: the time today, else with its weekday. */
export function ahead(at: Stamp): string {
  return when(asDate(at));
}

export interface Wait {
  readonly amount: number;
  readonly unit: 'second' | 'minute' | 'hour' | 'day';
}

/** How long since, in the one unit that says it. */
export function wait(since: Stamp, until: Stamp): Wait {
  const passed = Math.max(0, until - since);
  if (passed < MINUTE) return { amount: Math.floor(passed / SECOND), unit: 'second' };
  if (passed < HOUR) return { amount: Math.floor(passed / MINUTE), unit: 'minute' };
  if (passed < 2 * DAY) return { amount: Math.floor(passed / HOUR), unit: 'hour' };
  return { amount: Math.floor(passed / DAY), unit: 'day' };
}

/** How urgent a wait is: texts are answered within minutes, or the caller has gone elsewhere. */
export function age(since: Stamp, until: Stamp): 'fresh' | 'late' | 'old' {
  const passed = until - since;
  if (passed < 5 * MINUTE) return 'fresh';
  return passed < 30 * MINUTE ? 'late' : 'old';
}

/** `12m`: for lists. */
export function shortWait(since: Stamp, until: Stamp): string {
  const { amount, unit } = wait(since, until);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(amount);
}

/** `12 min`: for sentences. */
export function longWait(since: Stamp, until: Stamp): string {
  const { amount, unit } = wait(since, until);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(amount);
}

/** How long something took: `40 s`, `12 min`. */
export function length(seconds: number): string {
  return longWait(0, seconds * SECOND);
}
