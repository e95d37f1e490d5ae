// The strings of the settings, in German.
import { whole } from '../time';
import type { settings as english } from './en-settings';

export const settings: typeof english = {
  settings: 'Einstellungen',
  settingsParts: { people: 'Menschen', lines: 'Leitungen', texts: 'Texte' },
  roles: { viewer: 'Betrachter', operator: 'Bearbeiter', admin: 'Verwalter', owner: 'Inhaber' },
  role: 'Rolle',
  roleOf: (operator: string): string => `Rolle von ${operator}`,
  noPeople: 'Noch ist niemand eingeladen. Wer mit einem Token kommt, hat die Rolle, die darin steht.',
  invited: 'eingeladen',
  invite: 'Jemanden einladen',
  seenAs: 'Für die anderen sichtbar als',
  makeLink: 'Link erstellen',
  newLink: 'Neuer Link',
  link: 'Einmal-Link',
  linkFor: (operator: string, until: string): string => `Für ${operator}, einmal, bis ${until}. Wer ihn hat, ist ${operator}: gib ihn unter vier Augen weiter.`,
  remove: 'Entfernen',
  edit: 'Bearbeiten',
  save: 'Speichern',
  cancelEdit: 'Abbrechen',
  copy: 'Kopieren',
  copied: 'Kopiert',
  cannotCopy: 'Es konnte nicht kopiert werden. Markiere es und kopiere es selbst.',
  noLines: 'Es gibt noch keine Leitung.',
  lineUnknown: 'Wie es ihr geht, lässt sich gerade nicht sagen.',
  lineHealth: (waiting: number, sending: number): string =>
    waiting + sending === 0 ? 'Nichts wartet darauf, hinauszugehen.' : `${whole.format(waiting)} ${waiting === 1 ? 'Nachricht wartet' : 'Nachrichten warten'}, ${whole.format(sending)} unterwegs.`,
  coverage: 'Verpasste Anrufe mit einer Nachricht beantworten',
  coverageHint: (template: string | null): string => (template === null ? 'Noch ist kein Text dafür gewählt.' : `Mit dem Text ${template}.`),
  hooks: { sms: 'Eine Nachricht kommt an (A message comes in)', voice: 'Ein Anruf kommt an (A call comes in)', status: 'Anrufstatus ändert sich (Call status changes)' },
  textsHint: 'Regeln verschicken sie; Bearbeiter holen sie mit / und ändern sie vor dem Senden.',
  addText: 'Text hinzufügen',
  textName: 'Name',
  variables: 'Platzhalter: {business}, und wo ein Bearbeiter ihn einsetzt {name} und {operator}.',
};
