// The strings of what is kept for a person, in German.
import { ahead, time } from '../time';
import type { Row, SavedFilter } from '../types';
import type { mine as english } from './en-mine';

const VIEWS: Record<SavedFilter['view'], string> = {
  mine: 'meine',
  unassigned: 'ohne Bearbeiter',
  all: 'alle offenen',
  missed: 'verpasste Anrufe',
  snoozed: 'zurückgestellt',
  resolved: 'erledigt',
};

export const mine: typeof english = {
  filters: 'Filter',
  filtersHint: 'Ein Filter engt eine Ansicht ein. Deine bleiben dir in jedem Browser erhalten. Nenne darin keinen Kontakt.',
  newFilter: 'Ein neuer Filter',
  filterView: 'Ansicht',
  filterName: 'Name',
  filterWaiting: 'Nur wo jemand wartet',
  filterUnread: 'Nur mit Ungelesenem',
  whatever: 'Beliebig',
  removeFilter: (name: string): string => `Filter ${name} entfernen`,
  filterSays: (filter: SavedFilter): string =>
    [
      VIEWS[filter.view],
      ...(filter.tags ?? []).map((tag) => `Schlagwort ${tag}`),
      ...(filter.assigned == null ? [] : [`bei: ${filter.assigned}`]),
      ...(filter.channel == null ? [] : [`Leitung ${filter.channel}`]),
      ...(filter.waiting === true ? ['wartend'] : []),
      ...(filter.unread === true ? ['ungelesen'] : []),
    ].join(', '),
  filterEmpty: (name: string): string => `Nichts passt zu ${name}.`,
  goAway: 'Dich abwesend melden',
  comeBack: 'Zurückmelden',
  away: 'Abwesend',
  account: 'Dein Konto',
  isAway: (operator: string): string => `${operator} (abwesend)`,
  awayNow: 'Du bist abwesend: neue Nachrichten gehen an alle',
  backNow: 'Du bist wieder da',
  setAway: 'Als abwesend melden',
  setBack: 'Als anwesend melden',
  awayThey: (operator: string): string => `${operator} ist abwesend. Was Kontakte schreiben, geht nach einer Weile zurück an alle`,
  backThey: (operator: string): string => `${operator} ist wieder da`,
  hours: 'Arbeitszeiten',
  hoursOf: (operator: string): string => `Arbeitszeiten: ${operator}`,
  hoursHint: 'Sie bestimmen, wer erreichbar ist, nach der Uhr am Ort, auch wenn sie umgestellt wird. Was von Hand gemeldet wird, gilt bis zu ihrem nächsten Wechsel. Ein Ende vor dem Beginn liegt am nächsten Tag.',
  byHours: 'anwesend nach Arbeitszeiten',
  zone: 'Zeitzone',
  hoursFrom: (day: string): string => `${day}, von`,
  hoursUntil: (day: string): string => `${day}, bis`,
  addHours: (day: string): string => `Zeiten am ${day} hinzufügen`,
  removeHours: (day: string): string => `Diese Zeiten am ${day} entfernen`,
  notThere: 'Nicht da',
  noHours: 'Keine Arbeitszeiten',
  hoursKept: 'Die Arbeitszeiten sind gespeichert und gelten ab jetzt',
  hoursGone: 'Es gibt keine Arbeitszeiten mehr. Es gilt, was du meldest',
  hoursTooMany: 'Jede braucht Beginn und Ende, und eine Woche hat höchstens 28',
  thenHours: (until: number): string => `Bis ${ahead(until)}: dann gelten wieder deine Arbeitszeiten`,
  standing: (away: boolean, until: number | null, byHand: boolean | null): string =>
    `${away ? 'Abwesend' : 'Anwesend'}${until === null ? '' : ` bis ${ahead(until)}`}${byHand === null ? '. Es sind keine Arbeitszeiten gesetzt' : byHand ? ', von Hand; dann nach Arbeitszeiten' : ', nach Arbeitszeiten'}`,
  returnSet: (at: number | null): string =>
    at === null ? 'Bleibt, wo es ist: der Bearbeiter ist wieder da' : `Der Bearbeiter ist abwesend: geht um ${time(at)} zurück an alle, wenn niemand antwortet`,
  consentHistory: 'Verlauf',
  consentBegan: (row: Row): string => (row.last_inbound > 0 ? 'Stillschweigend seit der ersten Nachricht oder dem ersten Anruf' : 'Hat nie geschrieben oder angerufen'),
  lookFurther: 'Weiter zurück',
  preferences: 'Tasten und Vorlieben',
  language: 'Sprache',
  languageHint: 'Bleibt dir in jedem Browser erhalten. Die Seite lädt neu.',
  languageAuto: 'Wie der Browser',
};
