// The strings of what is kept for a person: filters, being away, language; in English.
import { ahead, time } from '../time';
import type { Row, SavedFilter } from '../types';

const VIEWS: Record<SavedFilter['view'], string> = {
  mine: 'mine',
  unassigned: 'unassigned',
  all: 'all open',
  missed: 'missed calls',
  snoozed: 'snoozed',
  resolved: 'resolved',
};

export const mine = {
  filters: 'Filters',
  filtersHint: 'A filter narrows a view down. Yours are kept for you, in every browser. Do not name a contact in them.',
  newFilter: 'A new filter',
  filterView: 'View',
  filterName: 'Name',
  filterWaiting: 'Only where somebody waits',
  filterUnread: 'Only with something unread',
  whatever: 'Any',
  removeFilter: (name: string): string => `Remove the filter ${name}`,
  filterSays: (filter: SavedFilter): string =>
    [
      VIEWS[filter.view],
      ...(filter.tags ?? []).map((tag) => `tag ${tag}`),
      ...(filter.assigned == null ? [] : [`on it: ${filter.assigned}`]),
      ...(filter.channel == null ? [] : [`line ${filter.channel}`]),
      ...(filter.waiting === true ? ['waiting'] : []),
      ...(filter.unread === true ? ['unread'] : []),
    ].join(', '),
  filterEmpty: (name: string): string => `Nothing matches ${name}.`,
  goAway: 'Set yourself away',
  comeBack: 'Come back',
  away: 'Away',
  account: 'Your account',
  isAway: (operator: string): string => `${operator} (away)`,
  awayNow: 'You are away: new messages go to everybody',
  backNow: 'You are back',
  setAway: 'Set away',
  setBack: 'Set available',
  awayThey: (operator: string): string => `${operator} is away. What their contacts write goes back to everybody after a while`,
  backThey: (operator: string): string => `${operator} is back`,
  hours: 'Hours',
  hoursOf: (operator: string): string => `Hours: ${operator}`,
  hoursHint: 'They decide who is available, by the clock of the place, also when it changes. What is said by hand lasts until their next change. An end before the beginning is on the next day.',
  byHours: 'available by hours',
  zone: 'Time zone',
  hoursFrom: (day: string): string => `${day}, from`,
  hoursUntil: (day: string): string => `${day}, until`,
  addHours: (day: string): string => `Add hours on ${day}`,
  removeHours: (day: string): string => `Remove these hours on ${day}`,
  notThere: 'Not there',
  noHours: 'No hours',
  hoursKept: 'The hours are kept, and hold from now on',
  hoursGone: 'There are no hours any more. You are what you say you are',
  hoursTooMany: 'Each needs a beginning and an end, and a week has at most 28',
  thenHours: (until: number): string => `Until ${ahead(until)}: then your hours decide again`,
  /** By hand is null for whoever has no hours. */
  standing: (away: boolean, until: number | null, byHand: boolean | null): string =>
    `${away ? 'Away' : 'Available'}${until === null ? '' : ` until ${ahead(until)}`}${byHand === null ? '. No hours are set' : byHand ? ', by hand; then by hours' : ', by hours'}`,
  returnSet: (at: number | null): string =>
    at === null ? 'Stays where it is: whoever is on it is back' : `Whoever is on it is away: goes back to everybody at ${time(at)} unless it is answered`,
  consentHistory: 'History',
  consentBegan: (row: Row): string => (row.last_inbound > 0 ? 'Implied from the first text or call' : 'They never wrote nor called'),
  lookFurther: 'Look further back',
  preferences: 'Keys and preferences',
  language: 'Language',
  languageHint: 'Kept for you, in every browser. The page loads anew.',
  languageAuto: 'Like the browser',
};
