// The strings of the overview, in English. Each figure's definition stands where it is shown.
import { whole } from '../time';

export const overview = {
  overview: 'Overview',
  ranges: { 24: '24 hours', 168: '7 days', 720: '30 days' },
  range: 'Time',
  everyNumber: 'All numbers',
  figuresBehind: 'Still counting. The figures are not whole yet.',
  figuresSince: (when: string): string => `Counted since ${when}.`,
  nothingCounted: 'Nothing happened in this time.',
  recovered: {
    title: 'Missed calls recovered',
    of: (part: number, all: number): string => `${whole.format(part)} of ${whole.format(all)} missed calls`,
    meaning: 'Missed calls whose caller wrote something, was spoken with on the phone, or was marked as called, within 24 hours. A keyword such as STOP does not count. By when the call came.',
    filled: 'recovered',
    rest: 'not recovered',
  },
  response: {
    title: 'First response',
    of: (part: number, all: number): string => `${whole.format(part)} of ${whole.format(all)} first questions answered`,
    most: (time: string): string => `nine of ten within ${time}`,
    meaning:
      'Half were answered within this time: from the first text, voicemail or missed call of a conversation that is new, was reopened, or was silent for seven days, until a person’s text left or somebody spoke with them. Automatic texts do not count. By when they asked.',
    filled: 'answered',
    rest: 'not answered',
  },
  delivery: {
    title: 'Delivery',
    of: (part: number, all: number): string => `${whole.format(part)} of ${whole.format(all)} texts delivered`,
    other: (open: number, notSent: number): string =>
      `${whole.format(open)} still open, ${whole.format(notSent)} not sent: taken back or too late`,
    meaning: 'Of the texts whose fate the carrier has told, those that reached the phone. What it tells more than three days after its last news no longer counts. By when they were written.',
    filled: 'delivered',
    rest: 'failed',
  },
  queue: {
    title: 'Queue and pace by number',
    meaning:
      'Longest queue: the most texts that waited at one number at once. Longest wait: from when a text might leave until it was given to the carrier. Busiest minute: segments given to the carrier in one minute. Now: the last minute or two, live.',
    columns: { number: 'Number', waiting: 'Waiting now', pace: 'Segments now', queue: 'Longest queue', wait: 'Longest wait', segments: 'Segments', minute: 'Busiest minute' },
    paceOf: (now: number, perMinute: number | null): string => (perMinute === null ? whole.format(now) : `${whole.format(now)}, at most ${whole.format(perMinute)} a minute`),
    paused: 'Paused',
    removed: 'removed',
    filled: 'longest queue',
    rest: '',
  },
  asTable: 'As a table',
  time: 'Time',
};
