// The strings of the first run, in German.
import type { wizard as english } from './en-wizard';

const FATES = { none: 'Nichts wurde gesendet: diese Leitung beantwortet verpasste Anrufe nicht.', open: 'Deine Nachricht ist unterwegs.', sent: 'Deine Nachricht ist hinausgegangen.', delivered: 'Deine Nachricht wurde zugestellt.' };

export const wizard: typeof english = {
  title: 'Einrichten, und es klingeln hören',
  begin: 'Schritt für Schritt einrichten',
  another: 'Eine weitere Leitung anlegen',
  steps: ['Geschäft', 'Rufnummer', 'Antwort', 'Probeanruf'],
  next: 'Weiter',
  business: 'Name des Geschäfts',
  businessHint: 'Wie ihn deine Anrufer kennen. Er steht in deinen Nachrichten.',
  account: 'Konto',
  accountOf: (account: string, numbers: string): string => `${account}, von ${numbers}`,
  otherAccount: 'Ein anderes Konto',
  accountHint: 'Aus der Konsole von Twilio. Das Token wird versiegelt: niemand kann es wieder lesen.',
  sid: 'Konto-Kennung (Account SID)',
  secret: 'Geheimnis (Auth Token)',
  number: 'Deine Nummer',
  paste: 'Füge das beim Netzbetreiber für diese Nummer ein. Dann kommen Anrufe und Nachrichten hierher.',
  coverageHint: 'Sonst zeigt sie sie nur.',
  answer: 'Was ein Anrufer liest, dessen Anruf verpasst wurde',
  suggestion: 'Hallo, hier ist {business}. Schade, dass wir dich verpasst haben. Wie können wir helfen?',
  callNow: (numbers: string): string => `Rufe ${numbers} von einem anderen Telefon an, und lege auf.`,
  phone: 'Das Telefon der Demo öffnen',
  waiting: 'Wartet auf deinen Anruf',
  came: (who: string, fate: keyof typeof FATES): string => `Verpasster Anruf von ${who}. Es geht. ${FATES[fate]}`,
  open: 'Öffnen und antworten',
};
