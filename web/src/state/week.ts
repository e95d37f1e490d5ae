// A week's hours as they are edited: clock times by day. What ends after midnight goes on in the next day.
import type { HoursSpan, WeekHours } from '../types';

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const satisfies readonly HoursSpan['day'][];
export type Day = (typeof DAYS)[number];

/** Most spans that the engine takes. */
export const SPANS_MAX = 28;
const DAY_MIN = 24 * 60;

/** From and until as a clock shows them; `00:00` at the end is midnight. */
export interface Shift {
  readonly day: Day;
  readonly from: string;
  readonly until: string;
}

/** What most people begin with. */
export const OFFICE: readonly Shift[] = DAYS.slice(0, 5).map((day) => ({ day, from: '09:00', until: '17:00' }));

function shown(minutes: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

function minutes(clock: string): number {
  const [hour, minute] = clock.split(':').map(Number);
  return (hour ?? 0) * 60 + (minute ?? 0);
}

export function shiftsOf(hours: WeekHours): Shift[] {
  const sorted = hours.spans.toSorted((one, other) => DAYS.indexOf(one.day) - DAYS.indexOf(other.day) || one.from_min - other.from_min);
  return sorted.map(({ day, from_min, until_min }) => ({ day, from: shown(from_min), until: shown(until_min) }));
}

function spansOf({ day, from, until }: Shift): HoursSpan[] {
  const [from_min, end] = [minutes(from), minutes(until)];
  if (end > from_min) return [{ day, from_min, until_min: end }];
  const next = DAYS[(DAYS.indexOf(day) + 1) % DAYS.length] ?? 'monday';
  const tonight: HoursSpan = { day, from_min, until_min: DAY_MIN };
  return end === 0 ? [tonight] : [tonight, { day: next, from_min: 0, until_min: end }];
}

/** None: a time is missing, or there are more than the engine takes. */
export function hoursOf(zone: string, shifts: readonly Shift[]): WeekHours | null {
  if (shifts.some(({ from, until }) => from === '' || until === '')) return null;
  const spans = shifts.flatMap(spansOf);
  return spans.length > SPANS_MAX ? null : { zone, spans };
}
