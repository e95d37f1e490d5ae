// Every string of the page, in German. The same shape as the English ones: what is missing does not build.
import { readable } from '../phone';
import { contact } from './de-contact';
import { mine } from './de-mine';
import { overview } from './de-overview';
import { settings } from './de-settings';
import { wizard } from './de-wizard';
import type { Words } from './en';
import type { Connection } from '../net/stream';
import type { Sending } from '../state/timeline';
import type { View } from '../state/views';
import { fully, longWait, now, time, when, whole } from '../time';
import type { CarrierError, ConversationEvent, Problem, Row } from '../types';

function who(row: Row): string {
  if (row.erased === true) return 'Gelöschter Kontakt';
  if (row.name != null && row.name !== '') return row.name;
  if (row.address == null || row.address === 'anonymous') return 'Unterdrückte Nummer';
  return readable(row.address);
}

function plural(count: number, one: string, many: string): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

const VIEW_NAMES: Record<View, string> = {
  mine: 'Meine',
  unassigned: 'Ohne Bearbeiter',
  all: 'Alle offenen',
  missed: 'Verpasste Anrufe',
  snoozed: 'Zurückgestellt',
  resolved: 'Erledigt',
};

const EMPTY_VIEWS: Record<View, string> = {
  mine: 'Dir ist nichts zugewiesen. Nimm eines mit a.',
  unassigned: 'Jedes offene Gespräch hat einen Bearbeiter.',
  all: 'Niemand wartet.',
  missed: 'Jeder verpasste Anruf ist beantwortet.',
  snoozed: 'Nichts ist zurückgestellt. Drücke s in einem Gespräch, um es bis später auszublenden.',
  resolved: 'Noch ist nichts erledigt. Drücke e in einem Gespräch, um es zu erledigen.',
};

/** What went wrong at the carrier, and what to do. */
function failure(error: CarrierError | null): string {
  const known: Record<number, string> = {
    21211: 'das ist keine gültige Nummer. Frage beim Kontakt nach',
    21408: 'dieses Konto darf in dieses Land nicht schreiben',
    21610: 'der Kontakt hat sich beim Netzbetreiber abgemeldet. Er muss erst START schreiben',
    21614: 'diese Nummer kann keine Nachrichten empfangen',
    30003: 'das Telefon war aus oder nicht erreichbar. Versuche es später noch einmal, oder rufe an',
    30004: 'der Netzbetreiber des Kontakts sperrt uns. Rufe stattdessen an',
    30005: 'diese Nummer gibt es nicht oder nicht mehr',
    30006: 'diese Nummer kann keine Nachrichten empfangen (Festnetz). Rufe stattdessen an',
    30007: 'der Netzbetreiber hielt es für Spam. Formuliere es um, ohne Links',
    30008: 'der Netzbetreiber sagt nicht, warum. Versuche es noch einmal',
    30034: 'diese Leitung ist bei den Netzbetreibern noch nicht registriert. Ein Verwalter muss sie registrieren',
  };
  if (error === null) return 'es wurde kein Grund genannt. Versuche es noch einmal';
  const words = known[error.code];
  if (words !== undefined) return words;
  switch (error.class) {
    case 'opt_out':
      return 'der Kontakt hat sich abgemeldet';
    case 'landline':
    case 'permanent':
      return 'diese Nummer kann keine Nachrichten empfangen. Rufe stattdessen an';
    case 'pace':
      return 'der Netzbetreiber war überlastet. Versuche es noch einmal';
    case 'policy':
      return 'der Netzbetreiber hat es abgelehnt. Ein Verwalter muss nachsehen';
    case 'rejected':
      return 'der Netzbetreiber hat unsere Anfrage abgelehnt. Ein Verwalter muss nachsehen';
    case 'too_late':
      return 'es hat beim Netzbetreiber zu lange gewartet';
    case 'transient':
      return 'das Telefon war nicht zu erreichen. Versuche es später noch einmal';
    case 'ambiguous':
      return 'der Netzbetreiber sagt nicht, warum. Versuche es noch einmal';
  }
}

const PROBLEMS: Partial<Record<Problem['code'], string>> = {
  opted_out: 'der Kontakt hat sich abgemeldet',
  blocked: 'der Kontakt ist blockiert',
  unreachable: 'diese Nummer kann keine Nachrichten empfangen (Festnetz)',
  no_address: 'der Kontakt hat die Nummer unterdrückt: es gibt kein Ziel',
  wrong_state: 'dafür ist es zu spät',
  forbidden: 'deine Rolle erlaubt das nicht',
  not_found: 'es ist nicht mehr da',
  too_large: 'es ist zu lang',
  key_reused: 'dieselbe Anfrage wurde mit anderem Inhalt gestellt',
};

function problem(given: Problem): string {
  return PROBLEMS[given.code] ?? given.detail ?? given.title;
}

/** Why somebody is not let in, and what to do. */
function notLetIn(given: Problem): string {
  switch (given.code) {
    case 'bad_credentials':
      return 'E-Mail oder Passwort ist falsch.';
    case 'link_spent':
      return 'Dieser Link wurde benutzt, ersetzt oder ist zu alt. Bitte einen Verwalter um einen neuen.';
    case 'too_many_requests':
      return `Zu viele Versuche. Warte ${plural(given.retry_after_s ?? 60, 'Sekunde', 'Sekunden')} und versuche es dann noch einmal.`;
    case 'forbidden':
      return 'Du hast hier keinen Zugang mehr. Frage einen Verwalter.';
    case 'invalid':
      return 'Dieses Passwort ist zu kurz. Nimm mindestens zehn Zeichen.';
    default:
      return `Das hat nicht geklappt: ${problem(given)}.`;
  }
}

/** A browser by a name that people know. */
function browser(agent: string): string {
  const name = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'].find((one) => agent.includes(`${one}/`)) ?? '';
  const known: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Macintosh', 'Linux'].find((one) => agent.includes(one));
  const on: Record<string, string> = { Macintosh: 'Mac' };
  return [known[name] ?? (name === '' ? 'Ein Browser' : name), system === undefined ? '' : `auf ${on[system] ?? system}`].join(' ').trim();
}

function consent(row: Row): string {
  switch (row.consent) {
    case 'implied':
      return 'Darf angeschrieben werden: hat sich zuerst gemeldet';
    case 'opted_in':
      if (row.consent_source === 'admin') return 'Darf angeschrieben werden: die Einwilligung ist hier festgehalten';
      return row.consent_source === 'operator' ? 'Darf angeschrieben werden: hier wieder angemeldet' : 'Darf angeschrieben werden: hat START geschrieben';
    case 'opted_out':
      if (row.consent_source === 'operator') return 'Abgemeldet: hier festgehalten';
      return row.consent_source === 'carrier' ? 'Abgemeldet: der Netzbetreiber sperrt Nachrichten' : 'Abgemeldet: hat STOP geschrieben';
  }
}

/** Why nothing can be sent, and what would change that. */
function blocked(row: Row): string | null {
  if (row.blocked != null) return 'Dieser Kontakt ist blockiert. Hebe die Blockierung auf, um zu schreiben.';
  if (row.erased === true) return 'Dieser Kontakt wurde gelöscht. Es kann nichts gesendet werden.';
  if (row.merged_into != null) return 'Dieser Kontakt gehört jetzt zu einem anderen Gespräch.';
  if (!row.reachable) return 'Der Anrufer hat die Nummer unterdrückt: es gibt kein Ziel.';
  if (row.unreachable != null) return 'Diese Nummer kann keine Nachrichten empfangen (Festnetz). Rufe stattdessen an.';
  if (row.consent !== 'opted_out') return null;
  return row.consent_source === 'operator'
    ? 'Hier abgemeldet. Melde in den Angaben zum Kontakt wieder an, wenn er darum bittet.'
    : 'Hat sich selbst abgemeldet. Nur der Kontakt kann das aufheben, indem er START schreibt.';
}

function sending(send: Sending, queue: { place: number; estimate_ms?: number | null } | null): string {
  switch (send.status) {
    case 'queued': {
      if (queue === null) return send.attempt > 1 ? 'Wartet auf den nächsten Versuch' : 'Wartet';
      if (queue.estimate_ms == null) return 'Angehalten: das Senden ruht';
      const seconds = Math.max(1, Math.round(queue.estimate_ms / 1_000));
      const place = queue.place <= 1 ? 'als Nächstes dran' : `${whole.format(queue.place)}. in der Schlange`;
      return `Wartet: ${place}, etwa ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} Min.`}`;
    }
    case 'claimed':
      return 'Wird gesendet';
    case 'unknown':
      return now.value <= send.validUntil
        ? 'Unklar: der Netzbetreiber hat nicht geantwortet; wird geprüft'
        : 'Unklar: vielleicht ist es angekommen, der Netzbetreiber sagt es nicht. Sende es noch einmal, oder gib es auf';
    case 'sent':
      return `Gesendet ${time(send.since)}`;
    case 'delivered':
      return `Zugestellt ${time(send.since)}`;
    case 'read':
      return `Gelesen ${time(send.since)}`;
    case 'failed':
      return `Nicht gesendet: ${failure(send.error)}`;
    case 'canceled':
      return 'Vor dem Senden zurückgenommen';
    case 'expired':
      return send.error === null
        ? 'Nicht gesendet: zu spät. Sende es noch einmal, wenn es noch Sinn hat'
        : 'Nicht gesendet: zu spät, es hat beim Netzbetreiber zu lange gewartet. Sende es noch einmal, wenn es noch Sinn hat';
  }
}

const SKIPPED = {
  coverage_off: 'die Antwort auf Anrufe ist aus',
  cool_down: 'eben erst ging eine hinaus',
  opted_out: 'abgemeldet',
  anonymous: 'die Nummer war unterdrückt',
  unreachable: 'die Nummer kann keine Nachrichten empfangen',
  no_template: 'die Leitung hat keinen Text dafür',
  staff: 'es war jemand von euch',
  abroad: 'die Nummer ist aus dem Ausland',
  consent_questioned: 'es klingt nach einer Abmeldung',
  blocked: 'ist blockiert',
  too_late: 'vom Anruf wurde zu spät erfahren',
} as const;

/** Something that happened, as a line. */
function line(event: ConversationEvent, by: string, me: string): string {
  const own = by === me;
  /** Who did it, with the verb's second and third person. */
  const did = (you: string, they: string): string => (own ? `Du ${you}` : `${by} ${they}`);
  switch (event.type) {
    case 'call.missed':
      return 'Verpasster Anruf';
    case 'call.answered': {
      const seconds = event.data.duration_s;
      return seconds == null ? 'Anruf angenommen' : `Anruf angenommen, ${longWait(0, seconds * 1_000_000)}`;
    }
    case 'call.returned':
      return `${did('hast', 'hat')} zurückgerufen`;
    case 'call.ended':
      return 'Anruf beendet';
    case 'call.voicemail':
      return `Sprachnachricht, ${longWait(0, event.data.duration_s * 1_000_000)}`;
    case 'consent.questioned':
      return 'Es klingt nach einer Abmeldung. Automatische Nachrichten ruhen: melde ab oder an, je nachdem, was gemeint war';
    case 'consent.recorded':
      return `${did('hast', 'hat')} eine neue Einwilligung festgehalten`;
    case 'textback.skipped':
      return `Keine Antwort auf den Anruf: ${SKIPPED[event.data.reason]}`;
    case 'consent.changed':
      if (event.data.consent === 'opted_out') {
        if (event.data.source === 'operator') return `${did('hast', 'hat')} eine Abmeldung festgehalten`;
        return event.data.source === 'carrier' ? 'Der Netzbetreiber meldet eine Abmeldung' : 'Hat sich abgemeldet';
      }
      return event.data.source === 'operator' ? `${did('hast', 'hat')} wieder angemeldet` : 'Hat sich wieder angemeldet';
    case 'contact.unreachable':
      return 'Diese Nummer kann keine Nachrichten empfangen';
    case 'contact.blocked':
      return event.data.why === 'spam' ? `${did('hast', 'hat')} das als Spam gemeldet` : `${did('hast', 'hat')} diesen Kontakt blockiert`;
    case 'contact.unblocked':
      return `${did('hast', 'hat')} die Blockierung aufgehoben`;
    case 'contact.merged':
      return 'Mit einem anderen Gespräch vereint';
    case 'conversation.assigned': {
      const to = event.data.operator;
      if (to == null) return `${did('hast', 'hat')} die Zuweisung aufgehoben`;
      if (to === by) return `${did('hast', 'hat')} das übernommen`;
      return `${did('hast', 'hat')} das ${to === me ? 'dir' : to} zugewiesen`;
    }
    case 'conversation.resolved':
      return `${did('hast', 'hat')} das erledigt`;
    case 'conversation.reopened':
      return by === 'contact' || by === 'carrier' || by === 'engine' ? 'Wieder offen' : `${did('hast', 'hat')} das wieder geöffnet`;
    case 'conversation.snoozed':
      return `${did('hast', 'hat')} das bis ${when(new Date(event.data.until / 1_000))} zurückgestellt`;
    case 'conversation.return_set':
      return mine.returnSet(event.data.at ?? null);
    case 'conversation.woken':
      return 'Wieder da';
    case 'conversation.tagged':
      return event.data.tags.length === 0 ? `${did('hast', 'hat')} alle Schlagwörter entfernt` : `${did('hast', 'hat')} die Schlagwörter gesetzt: ${event.data.tags.join(', ')}`;
    case 'conversation.parked':
      return 'Nach einem Fehler von uns beiseitegelegt. Nichts ist verloren; ein Verwalter kann es freigeben';
    case 'conversation.released':
      return 'Freigegeben: was inzwischen ankam, wird verarbeitet';
    case 'message.unprocessed':
      return 'Etwas kam an und wartet auf Verarbeitung';
    default:
      return event.type;
  }
}

function connection(state: Connection, since: number | null, held: number): string {
  const kept = held === 0 ? '' : ` ${plural(held, 'Änderung wird', 'Änderungen werden')} aufgehoben und geht hinaus, sobald die Verbindung steht.`;
  if (state === 'live') return held === 0 ? 'Verbunden' : `Verbunden.${kept}`;
  if (state === 'connecting') return 'Verbindet';
  return `Getrennt${since === null ? '' : ` seit ${time(since * 1_000)}`}. Du kannst lesen und schreiben.${kept}`;
}

const talks = (count: number): string => plural(count, 'Gespräch', 'Gespräche');

export const de: Words = {
  name: 'Deskwire',
  who,
  plural,
  viewNames: VIEW_NAMES,
  emptyViews: EMPTY_VIEWS,
  failure,
  problem,
  consent,
  blocked,
  sending,
  line,
  connection,
  connectionShort: { live: 'Verbunden', connecting: 'Verbindet', away: 'Getrennt' },
  today: 'Heute',
  yesterday: 'Gestern',
  you: 'Du',
  waitingLine: (waiting: number, longest: string | null, atLeast: boolean): string => {
    if (waiting === 0) return atLeast ? 'Wird gezählt' : 'Niemand wartet';
    return `${whole.format(waiting)}${atLeast ? '+' : ''} ${waiting === 1 ? 'wartet' : 'warten'}${longest === null ? '' : ` · längstens ${longest}`}`;
  },
  waitsFor: (time: string): string => `Wartet ${time}`,
  unread: (count: number): string => `${whole.format(count)} ungelesen`,
  missedCall: 'Verpasster Anruf',
  voicemail: 'Sprachnachricht',
  missedVoicemail: 'Verpasst, Sprachnachricht',
  listen: 'Beim Netzbetreiber anhören',
  listenHint: 'Die Aufnahme bleibt beim Netzbetreiber; hier wird nichts davon aufbewahrt.',
  noWords: 'Noch keine Nachrichten',
  picture: (count: number): string => plural(count, 'Bild', 'Bilder'),
  pictureAlt: 'Bild vom Kontakt',
  closePicture: 'Bild schließen',
  pictureGone: 'Das Bild lässt sich nicht laden',
  attachment: 'Anhang',
  youPrefix: 'Wir:',
  autoPrefix: 'Auto:',
  assignedTo: (operator: string): string => `Zugewiesen an ${operator}`,
  newOnes: (count: number): string => `${whole.format(count)} neu`,
  loading: 'Lädt',
  list: 'Gespräche',
  views: 'Ansichten',
  messages: 'Nachrichten',
  conversation: 'Gespräch',
  contact: 'Kontakt',
  search: 'Suche',
  searchHint: 'Menschen und Worte suchen',
  clearSearch: 'Suche leeren',
  searching: 'Sucht',
  nothingFound: (query: string): string => `Nichts gefunden zu „${query}“.`,
  searchMatches: (count: number): string => plural(count, 'Treffer', 'Treffer'),
  pick: 'Wähle ein Gespräch',
  pickHint: 'j und k gehen durch die Liste, ? zeigt alle Tasten.',
  callToTry: (numbers: string): string => `Um es zu erleben, rufe ${numbers} an und lege auf: dein verpasster Anruf erscheint hier.`,
  back: 'Zurück zur Liste',
  details: 'Angaben zum Kontakt',
  closeDetails: 'Angaben zum Kontakt schließen',
  take: 'Übernehmen',
  unassign: 'Zuweisung aufheben',
  assign: 'Zuweisen',
  assignedMine: 'Deins',
  nobody: 'Ohne Bearbeiter',
  resolve: 'Erledigen',
  reopen: 'Wieder öffnen',
  snooze: 'Zurückstellen',
  snoozeChoices: { hour: 'In einer Stunde', later: 'In drei Stunden', tomorrow: 'Morgen früh', monday: 'Montag früh' },
  tags: 'Schlagwörter',
  addTag: 'Schlagwort hinzufügen',
  removeTag: (tag: string): string => `Schlagwort ${tag} entfernen`,
  reply: 'Antwort',
  note: 'Notiz',
  replyTo: (name: string): string => `Nachricht an ${name}`,
  replyPlaceholder: 'Schreib eine Nachricht. Enter sendet.',
  notePlaceholder: 'Schreib eine Notiz. Nur dein Team sieht sie.',
  send: 'Senden',
  addNote: 'Notiz hinzufügen',
  noteFrom: (operator: string): string => `Notiz von ${operator}`,
  noteTag: 'Notiz',
  segments: (count: number, left: number): string => `${plural(count, 'Segment', 'Segmente')} · noch ${whole.format(left)}`,
  costly: (characters: string): string => `${characters} macht, dass ein Segment 70 statt 160 Zeichen fasst.`,
  makeCheaper: 'Einfache Zeichen nehmen',
  tooLong: (over: number): string => `${whole.format(over)} Zeichen zu lang`,
  pending: { waiting: 'Wird gesendet', asking: 'Wird gesendet', held: 'Aufgehoben: geht hinaus, sobald die Verbindung steht', taken: 'Wird gesendet' },
  pendingNote: { waiting: 'Wird gespeichert', asking: 'Wird gespeichert', held: 'Aufgehoben: wird gespeichert, sobald die Verbindung steht', taken: 'Wird gespeichert' },
  notSentShort: 'Nicht gesendet:',
  notSent: (given: Problem): string => `Nicht gesendet: ${problem(given)}`,
  refused: (given: Problem): string => `Das wurde nicht getan: ${problem(given)}.`,
  putBack: 'Zurücklegen',
  discard: 'Verwerfen',
  leavesIn: (seconds: number): string => `Geht in ${whole.format(seconds)} s`,
  leftAlready: 'Zu spät: es ist hinausgegangen.',
  holdChoice: 'Sekunden, bevor eine Nachricht hinausgeht',
  holdHint: 'So lange nimmt Rückgängig, oder z, sie zurück. 0: sie geht sofort.',
  canned: 'Textbausteine',
  noCanned: 'Kein Textbaustein passt.',
  newMessage: 'Neue Nachricht',
  toNumber: 'An',
  theText: 'Text',
  joins: (name: string): string => `Gehört zum Gespräch mit ${name}`,
  neverWrote: 'Diese Nummer hat euch nie angerufen oder geschrieben. Das Gesetz verlangt einen Grund, warum du ihr schreiben darfst.',
  basis: 'Eingewilligt',
  basisChoose: 'Wähle, wie',
  bases: { phone: 'Am Telefon', in_person: 'Persönlich', paper: 'Auf Papier', web: 'Im Formular einer Webseite', email: 'Per E-Mail', other: 'Auf andere Weise' },
  basisWords: 'In eigenen Worten',
  basisPlaceholder: '„Schreiben Sie mir, wenn das Teil da ist“',
  called: 'Als angerufen markieren',
  calledHint: 'Du hast gesprochen: es wartet nicht mehr',
  calledNow: (row: Row): string => `Als angerufen markiert: ${who(row)}`,
  retry: 'Noch einmal versuchen',
  sendAgain: 'Noch einmal senden',
  giveUp: 'Aufgeben',
  cancel: 'Zurücknehmen',
  textBack: 'Antwort auf den Anruf',
  confirmation: 'Automatische Antwort',
  segmentsOf: (count: number): string => plural(count, 'Segment', 'Segmente'),
  erasedText: 'Gelöscht',
  olderLoading: 'Frühere Nachrichten werden geladen',
  beginning: 'Anfang des Gesprächs',
  newBelow: 'Neueste Nachrichten',
  looking: (names: string[]): string => `${names.join(', ')} ${names.length === 1 ? 'sieht' : 'sehen'} das auch gerade an`,
  typing: (names: string[]): string => `${names.join(', ')} ${names.length === 1 ? 'schreibt' : 'schreiben'}`,
  number: 'Nummer',
  call: 'Anrufen',
  overtaken: (name: string): string => `${name} hat gerade geantwortet`,
  callBack: 'Zurückrufen',
  firstSeen: 'Zuerst gesehen',
  lastSeen: 'Zuletzt aktiv',
  line_: 'Leitung',
  episode: 'Geöffnet',
  times: (count: number): string => (count === 1 ? 'einmal' : `${whole.format(count)}-mal`),
  saved: 'Gespeichert',
  unassignedNow: 'Ohne Bearbeiter',
  yoursNow: 'Es ist deins',
  assignedNow: (operator: string): string => `${operator} zugewiesen`,
  select: 'Auswählen',
  selectOne: (name: string): string => `${name} auswählen`,
  selected: (count: number): string => `${whole.format(count)} ausgewählt`,
  selectAll: (count: number): string => `Alle ${whole.format(count)} auswählen`,
  clearSelection: 'Nichts auswählen',
  manyYours: (count: number): string => `${talks(count)} übernommen`,
  manyUnassigned: (count: number): string => `Zuweisung von ${plural(count, 'Gespräch', 'Gesprächen')} aufgehoben`,
  manyResolved: (count: number): string => `${talks(count)} erledigt`,
  manyReopened: (count: number): string => `${talks(count)} wieder geöffnet`,
  manySnoozed: (count: number, until: Date): string => `${talks(count)} bis ${when(until)} zurückgestellt`,
  manyTagged: (count: number, tag: string): string => `${talks(count)} mit ${tag} versehen`,
  resolvedNow: (row: Row): string => `Erledigt: ${who(row)}`,
  snoozedNow: (row: Row, until: Date): string => `Bis ${when(until)} zurückgestellt: ${who(row)}`,
  undo: 'Rückgängig',
  dismiss: 'Schließen',
  notices: 'Hinweise',
  reloaded: 'Du warst zu lange weg, um Schritt für Schritt aufzuholen. Alles wurde neu geladen.',
  cannotReach: 'Der Server antwortet nicht. Es wird weiter versucht.',
  theme: 'Erscheinung',
  themes: { auto: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
  signOut: 'Abmelden vom Schreibtisch',
  demo: 'Demo',
  demoHint: 'Demo: du bist von selbst angemeldet, nur auf diesem Rechner.',
  signIn: 'Anmelden',
  email: 'E-Mail',
  password: 'Passwort',
  forgotten: 'Noch kein Passwort, oder vergessen? Ein Verwalter macht dir einen Link.',
  withToken: 'Stattdessen ein Token benutzen',
  useToken: 'Dieses Token benutzen',
  welcome: (operator: string): string => `Willkommen, ${operator}`,
  newPassword: 'Ein neues Passwort',
  joining: (about: { email: string; tenant: string; reset: boolean }): string =>
    about.reset ? `Für ${about.email}. Jeder andere Browser wird abgemeldet.` : `Du meldest dich als ${about.email} bei ${about.tenant} an.`,
  choosePassword: 'Wähle ein Passwort',
  passwordHint: 'Mindestens zehn Zeichen. Ein paar Wörter, die du behältst, sind besser als Zeichen, die du vergisst.',
  setPassword: 'Passwort setzen und anmelden',
  notLetIn,
  ...settings,
  ...overview,
  ...contact,
  ...mine,
  wizard,
  sessions: 'Wo du angemeldet bist',
  browser,
  thisBrowser: 'Dieser Browser',
  since: (time: string): string => `Seit ${time}`,
  signOutEverywhere: 'Überall abmelden',
  signInHint: 'Füge ein Token von dir ein. Es bleibt nur im Speicher dieses Fensters und ist weg, wenn du es schließt.',
  signInHow: 'deskwire token --tenant TENANT --operator YOU',
  token: 'Token',
  badToken: 'Das ist kein Token.',
  signedOut: 'Du bist abgemeldet.',
  keys: 'Tasten',
  keysOff: 'Tasten mit einem Buchstaben',
  keysOffHint: 'Schalte sie aus, wenn du diktierst oder versehentlich Tasten drückst.',
  close: 'Schließen',
  palette: 'Befehle',
  palettePlaceholder: 'Tippe einen Befehl oder Namen',
  paletteNone: 'Nichts passt.',
  goTo: (view: View): string => `Gehe zu ${VIEW_NAMES[view]}`,
  more: 'Mehr',
  commands: {
    next: 'Nächstes Gespräch',
    previous: 'Voriges Gespräch',
    open: 'Öffnen, oder schreiben',
    reply: 'Antworten',
    note: 'Notiz schreiben',
    resolve: 'Erledigen oder wieder öffnen',
    take: 'Übernehmen, oder zurückgeben',
    snooze: 'Zurückstellen',
    tag: 'Schlagwort hinzufügen',
    search: 'Suchen',
    help: 'Alle Tasten zeigen',
    palette: 'Befehle',
    details: 'Angaben zum Kontakt',
    undo: 'Rückgängig',
    newMessage: 'Neue Nachricht',
    select: 'Auswählen, um viele zu bearbeiten',
    called: 'Verpassten Anruf als angerufen markieren',
    theme: 'Erscheinung wechseln',
    away: 'Abwesend oder zurück melden',
    escape: 'Verlassen, worin du bist',
  },
  fully,
};
