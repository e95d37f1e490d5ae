// From the engine's hours to what a chart shows: one bar an hour, or a day as the operator's calendar has it.
import { dayOf } from '../time';
import type { FiguresPage, HourFigures, Stamp } from '../types';

export interface Bar {
  readonly at: Stamp;
  /** The part that is told by colour. */
  readonly filled: number;
  readonly all: number;
}

export type Measure = (hour: HourFigures) => { filled: number; all: number };

const HOUR = 3_600_000_000;

function place(at: Stamp, daily: boolean): string {
  return daily ? dayOf(at) : String(at);
}

/** Every hour or day of the range, also those in which nothing happened. `most`: the highest counts, not the sum. */
export function bars(page: Pick<FiguresPage, 'from' | 'hours'>, hours: number, measure: Measure, how: 'sum' | 'most' = 'sum'): Bar[] {
  const daily = hours > 48;
  const places = new Map<string, { at: Stamp; filled: number; all: number }>();
  for (let hour = 0; hour < hours; hour += 1) {
    const at = page.from + hour * HOUR;
    const key = place(at, daily);
    if (!places.has(key)) places.set(key, { at, filled: 0, all: 0 });
  }
  for (const hour of page.hours) {
    const bar = places.get(place(hour.at, daily));
    if (bar === undefined) continue;
    const { filled, all } = measure(hour);
    bar.filled = how === 'sum' ? bar.filled + filled : Math.max(bar.filled, filled);
    bar.all = how === 'sum' ? bar.all + all : Math.max(bar.all, all);
  }
  return [...places.values()];
}

/** Null: there is nothing to take a share of. */
export function share(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}
