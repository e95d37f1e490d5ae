// The strings of the overview, in German.
import { whole } from '../time';
import type { overview as english } from './en-overview';

export const overview: typeof english = {
  overview: 'Überblick',
  ranges: { 24: '24 Stunden', 168: '7 Tage', 720: '30 Tage' },
  range: 'Zeitraum',
  everyNumber: 'Alle Nummern',
  figuresBehind: 'Es wird noch gezählt. Die Zahlen sind noch nicht vollständig.',
  figuresSince: (when: string): string => `Gezählt seit ${when}.`,
  nothingCounted: 'In dieser Zeit ist nichts geschehen.',
  recovered: {
    title: 'Verpasste Anrufe gerettet',
    of: (part: number, all: number): string => `${whole.format(part)} von ${whole.format(all)} verpassten Anrufen`,
    meaning: 'Verpasste Anrufe, nach denen der Anrufer binnen 24 Stunden etwas schrieb, am Telefon gesprochen wurde oder als angerufen markiert wurde. Ein Schlüsselwort wie STOP zählt nicht. Nach der Zeit des Anrufs.',
    filled: 'gerettet',
    rest: 'nicht gerettet',
  },
  response: {
    title: 'Erste Antwort',
    of: (part: number, all: number): string => `${whole.format(part)} von ${whole.format(all)} ersten Fragen beantwortet`,
    most: (time: string): string => `neun von zehn binnen ${time}`,
    meaning:
      'In dieser Zeit wurde die Hälfte beantwortet: von der ersten Nachricht, Sprachnachricht oder dem ersten verpassten Anruf eines Gesprächs, das neu ist, wieder geöffnet wurde oder sieben Tage ruhte, bis die Nachricht eines Menschen hinausging oder jemand mit ihnen sprach. Automatische Nachrichten zählen nicht. Nach der Zeit der Frage.',
    filled: 'beantwortet',
    rest: 'nicht beantwortet',
  },
  delivery: {
    title: 'Zustellung',
    of: (part: number, all: number): string => `${whole.format(part)} von ${whole.format(all)} Nachrichten zugestellt`,
    other: (open: number, notSent: number): string => `${whole.format(open)} noch offen, ${whole.format(notSent)} nicht gesendet: zurückgenommen oder zu spät`,
    meaning: 'Von den Nachrichten, deren Verbleib der Netzbetreiber gemeldet hat, die auf dem Telefon angekommenen. Was er mehr als drei Tage nach der letzten Meldung sagt, zählt nicht mehr. Nach der Zeit des Schreibens.',
    filled: 'zugestellt',
    rest: 'gescheitert',
  },
  queue: {
    title: 'Schlange und Tempo je Nummer',
    meaning:
      'Längste Schlange: die meisten Nachrichten, die an einer Nummer zugleich warteten. Längste Wartezeit: von da an, wo eine Nachricht hätte gehen dürfen, bis sie dem Netzbetreiber übergeben war. Vollste Minute: Segmente, die in einer Minute übergeben wurden. Jetzt: die letzte Minute oder zwei, laufend.',
    columns: { number: 'Nummer', waiting: 'Wartet jetzt', pace: 'Segmente jetzt', queue: 'Längste Schlange', wait: 'Längste Wartezeit', segments: 'Segmente', minute: 'Vollste Minute' },
    paceOf: (now: number, perMinute: number | null): string => (perMinute === null ? whole.format(now) : `${whole.format(now)}, höchstens ${whole.format(perMinute)} je Minute`),
    paused: 'Angehalten',
    removed: 'entfernt',
    filled: 'längste Schlange',
    rest: '',
  },
  asTable: 'Als Tabelle',
  time: 'Zeit',
};
