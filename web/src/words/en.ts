// Every string of the page, in English. Another language is another file of the same shape.
import { readable } from '../phone';
import { contact } from './en-contact';
import { mine } from './en-mine';
import { overview } from './en-overview';
import { settings } from './en-settings';
import { wizard } from './en-wizard';
import type { Connection } from '../net/stream';
import type { Sending } from '../state/timeline';
import type { View } from '../state/views';
import { fully, longWait, now, time, when, whole } from '../time';
import type { CarrierError, ConversationEvent, Problem, Row } from '../types';

function who(row: Row): string {
  if (row.erased === true) return 'Erased contact';
  if (row.name != null && row.name !== '') return row.name;
  if (row.address == null || row.address === 'anonymous') return 'Hidden number';
  return readable(row.address);
}

function plural(count: number, one: string, many: string): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

const VIEW_NAMES: Record<View, string> = {
  mine: 'Mine',
  unassigned: 'Unassigned',
  all: 'All open',
  missed: 'Missed calls',
  snoozed: 'Snoozed',
  resolved: 'Resolved',
};

const EMPTY_VIEWS: Record<View, string> = {
  mine: 'Nothing is assigned to you. Take one with a.',
  unassigned: 'Every open conversation has somebody on it.',
  all: 'Nobody is waiting.',
  missed: 'Every missed call has been answered.',
  snoozed: 'Nothing is snoozed. Press s in a conversation to hide it until later.',
  resolved: 'Nothing has been resolved yet. Press e in a conversation to resolve it.',
};

/** What went wrong at the carrier, and what to do. */
function failure(error: CarrierError | null): string {
  const known: Record<number, string> = {
    21211: 'this is not a valid number. Check it with the contact',
    21408: 'this account may not text that country',
    21610: 'the contact opted out at the carrier. They must text START first',
    21614: 'this number can’t receive texts',
    30003: 'the phone was off or out of reach. Try again later, or call',
    30004: 'the contact’s carrier blocks us. Call instead',
    30005: 'this number does not exist, or is no longer in use',
    30006: 'this number can’t receive texts (landline). Call instead',
    30007: 'the carrier filtered it as spam. Reword it, without links',
    30008: 'the carrier doesn’t say why. Try again',
    30034: 'this line is not registered with the carriers yet. An admin must register it',
  };
  if (error === null) return 'no reason was given. Try again';
  const words = known[error.code];
  if (words !== undefined) return words;
  switch (error.class) {
    case 'opt_out':
      return 'the contact opted out';
    case 'landline':
    case 'permanent':
      return 'this number can’t receive texts. Call instead';
    case 'pace':
      return 'the carrier was too busy. Try again';
    case 'policy':
      return 'the carrier refused it. An admin must look';
    case 'rejected':
      return 'the carrier refused our request. An admin must look';
    case 'too_late':
      return 'it waited too long at the carrier';
    case 'transient':
      return 'the phone could not be reached. Try again later';
    case 'ambiguous':
      return 'the carrier doesn’t say why. Try again';
  }
}

const PROBLEMS: Partial<Record<Problem['code'], string>> = {
  opted_out: 'the contact has opted out',
  blocked: 'the contact is blocked',
  unreachable: 'this number can’t receive texts (landline)',
  no_address: 'the contact hid the number: there is nothing to send to',
  wrong_state: 'it is too late for that',
  forbidden: 'your role does not allow that',
  not_found: 'it is no longer there',
  too_large: 'it is too long',
  key_reused: 'the same request was made with other content',
};

function problem(given: Problem): string {
  return PROBLEMS[given.code] ?? given.detail ?? given.title;
}

/** Why somebody is not let in, and what to do. */
function notLetIn(given: Problem): string {
  switch (given.code) {
    case 'bad_credentials':
      return 'E-mail or password is wrong.';
    case 'link_spent':
      return 'This link was used, replaced, or is too old. Ask an admin for another.';
    case 'too_many_requests':
      return `Too many tries. Wait ${plural(given.retry_after_s ?? 60, 'second', 'seconds')} and try again.`;
    case 'forbidden':
      return 'You have no access here any more. Ask an admin.';
    case 'invalid':
      return 'That password is too short. Use at least ten characters.';
    default:
      return `That did not work: ${problem(given)}.`;
  }
}

/** A browser by a name that people know. */
function browser(agent: string): string {
  const name = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'].find((one) => agent.includes(`${one}/`)) ?? '';
  const known: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Macintosh', 'Linux'].find((one) => agent.includes(one));
  const on: Record<string, string> = { Macintosh: 'Mac' };
  return [known[name] ?? (name === '' ? 'A browser' : name), system === undefined ? '' : `on ${on[system] ?? system}`].join(' ').trim();
}

function consent(row: Row): string {
  switch (row.consent) {
    case 'implied':
      return 'May be texted: they contacted you first';
    case 'opted_in':
      if (row.consent_source === 'admin') return 'May be texted: their consent is recorded here';
      return row.consent_source === 'operator' ? 'May be texted: opted in here' : 'May be texted: they sent START';
    case 'opted_out':
      if (row.consent_source === 'operator') return 'Opted out: recorded here';
      return row.consent_source === 'carrier' ? 'Opted out: the carrier blocks texts' : 'Opted out: they sent STOP';
  }
}

/** Why nothing can be sent, and what would change that. */
function blocked(row: Row): string | null {
  if (row.blocked != null) return 'They are blocked. Unblock them to write to them.';
  if (row.erased === true) return 'This contact was erased. Nothing can be sent.';
  if (row.merged_into != null) return 'This contact is part of another conversation now.';
  if (!row.reachable) return 'The caller hid the number: there is nothing to send to.';
  if (row.unreachable != null) return 'This number can’t receive texts (landline). Call instead.';
  if (row.consent !== 'opted_out') return null;
  return row.consent_source === 'operator'
    ? 'Opted out here. Opt in again in the contact’s details if they ask for it.'
    : 'They opted out. Only they can lift it, by texting START.';
}

function sending(send: Sending, queue: { place: number; estimate_ms?: number | null } | null): string {
  switch (send.status) {
    case 'queued': {
      if (queue === null) return send.attempt > 1 ? 'Waiting to be tried again' : 'Waiting';
      if (queue.estimate_ms == null) return 'Held: sending is paused';
      const seconds = Math.max(1, Math.round(queue.estimate_ms / 1_000));
      const place = queue.place <= 1 ? 'next in line' : `${ordinal(queue.place)} in line`;
      return `Waiting: ${place}, about ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
    }
    case 'claimed':
      return 'Sending';
    case 'unknown':
      return now.value <= send.validUntil
        ? 'Unknown: the carrier didn’t answer; checking'
        : 'Unknown: perhaps it arrived, the carrier doesn’t say. Send it again, or give it up';
    case 'sent':
      return `Sent ${time(send.since)}`;
    case 'delivered':
      return `Delivered ${time(send.since)}`;
    case 'read':
      return `Read ${time(send.since)}`;
    case 'failed':
      return `Not sent: ${failure(send.error)}`;
    case 'canceled':
      return 'Taken back before it was sent';
    case 'expired':
      return send.error === null
        ? 'Not sent: too late. Send it again if it still makes sense'
        : 'Not sent: too late, it waited too long at the carrier. Send it again if it still makes sense';
  }
}

function ordinal(count: number): string {
  const ending = new Intl.PluralRules('en', { type: 'ordinal' }).select(count);
  return `${whole.format(count)}${{ one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' }[ending]}`;
}

const SKIPPED = {
  coverage_off: 'coverage is off',
  cool_down: 'they got one a moment ago',
  opted_out: 'they opted out',
  anonymous: 'the number was hidden',
  unreachable: 'the number can’t receive texts',
  no_template: 'the line has no text for it',
  staff: 'it was one of your own people',
  abroad: 'the number is from abroad',
  consent_questioned: 'they seem to ask for no more texts',
  blocked: 'they are blocked',
  too_late: 'the call was heard of too late',
} as const;

/** Something that happened, as a line. */
function line(event: ConversationEvent, by: string, me: string): string {
  const person = by === me ? 'You' : by;
  switch (event.type) {
    case 'call.missed':
      return 'Missed call';
    case 'call.answered': {
      const seconds = event.data.duration_s;
      return seconds == null ? 'Call answered' : `Call answered, ${longWait(0, seconds * 1_000_000)}`;
    }
    case 'call.returned':
      return `${person} called back`;
    case 'call.ended':
      return 'Call ended';
    case 'call.voicemail':
      return `Voicemail, ${longWait(0, event.data.duration_s * 1_000_000)}`;
    case 'consent.questioned':
      return 'They seem to ask for no more texts. Automatic ones are held: opt them out, or in, to say what was meant';
    case 'consent.recorded':
      return `${person} recorded new consent`;
    case 'textback.skipped':
      return `No text back: ${SKIPPED[event.data.reason]}`;
    case 'consent.changed':
      if (event.data.consent === 'opted_out') {
        if (event.data.source === 'operator') return `${person} recorded an opt-out`;
        return event.data.source === 'carrier' ? 'The carrier reports an opt-out' : 'They opted out';
      }
      return event.data.source === 'operator' ? `${person} opted them in again` : 'They opted in again';
    case 'contact.unreachable':
      return 'This number can’t receive texts';
    case 'contact.blocked':
      return event.data.why === 'spam' ? `${person} marked this as spam` : `${person} blocked them`;
    case 'contact.unblocked':
      return `${person} unblocked them`;
    case 'contact.merged':
      return 'Merged into another conversation';
    case 'conversation.assigned': {
      const to = event.data.operator;
      if (to == null) return `${person} unassigned this`;
      if (to === by) return by === me ? 'You took this' : `${by} took this`;
      return `${person} assigned this to ${to === me ? 'you' : to}`;
    }
    case 'conversation.resolved':
      return `${person} resolved this`;
    case 'conversation.reopened':
      return by === 'contact' || by === 'carrier' || by === 'engine' ? 'Open again' : `${person} reopened this`;
    case 'conversation.snoozed':
      return `${person} snoozed this until ${when(new Date(event.data.until / 1_000))}`;
    case 'conversation.return_set':
      return mine.returnSet(event.data.at ?? null);
    case 'conversation.woken':
      return 'Back from snooze';
    case 'conversation.tagged':
      return event.data.tags.length === 0 ? `${person} removed all tags` : `${person} set the tags: ${event.data.tags.join(', ')}`;
    case 'conversation.parked':
      return 'Set aside after a fault of ours. Nothing is lost; an admin can release it';
    case 'conversation.released':
      return 'Released: what arrived meanwhile is being processed';
    case 'message.unprocessed':
      return 'Something arrived and waits to be processed';
    default:
      return event.type;
  }
}

function connection(state: Connection, since: number | null, held: number): string {
  const kept = held === 0 ? '' : ` ${plural(held, 'change is', 'changes are')} held and will go out.`;
  if (state === 'live') return held === 0 ? 'Live' : `Live.${kept}`;
  if (state === 'connecting') return 'Connecting';
  return `Offline${since === null ? '' : ` since ${time(since * 1_000)}`}. You can read and write.${kept}`;
}

export const en = {
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
  connectionShort: { live: 'Live', connecting: 'Connecting', away: 'Offline' } satisfies Record<Connection, string>,
  today: 'Today',
  yesterday: 'Yesterday',
  you: 'You',
  waitingLine: (waiting: number, longest: string | null, atLeast: boolean): string => {
    if (waiting === 0) return atLeast ? 'Counting' : 'Nobody is waiting';
    return `${whole.format(waiting)}${atLeast ? '+' : ''} waiting${longest === null ? '' : ` · longest ${longest}`}`;
  },
  waitsFor: (time: string): string => `Waiting ${time}`,
  unread: (count: number): string => plural(count, 'unread', 'unread'),
  missedCall: 'Missed call',
  voicemail: 'Voicemail',
  missedVoicemail: 'Missed call, voicemail',
  listen: 'Listen to it at your carrier',
  listenHint: 'The recording stays with the carrier; nothing of it is kept here.',
  noWords: 'No messages yet',
  picture: (count: number): string => plural(count, 'picture', 'pictures'),
  pictureAlt: 'Picture from the contact',
  closePicture: 'Close picture',
  pictureGone: 'The picture can’t be loaded',
  attachment: 'Attachment',
  youPrefix: 'Us:',
  autoPrefix: 'Auto:',
  assignedTo: (operator: string): string => `Assigned to ${operator}`,
  newOnes: (count: number): string => `${whole.format(count)} new`,
  loading: 'Loading',
  list: 'Conversations',
  views: 'Views',
  messages: 'Messages',
  conversation: 'Conversation',
  contact: 'Contact',
  search: 'Search',
  searchHint: 'Search people and words',
  clearSearch: 'Clear search',
  searching: 'Searching',
  nothingFound: (query: string): string => `Nothing found for “${query}”.`,
  searchMatches: (count: number): string => plural(count, 'match', 'matches'),
  pick: 'Choose a conversation',
  pickHint: 'j and k move through the list, ? shows every key.',
  callToTry: (numbers: string): string => `To see it work, call ${numbers} and hang up: your missed call appears here.`,
  back: 'Back to the list',
  details: 'Contact details',
  closeDetails: 'Close contact details',
  take: 'Assign to me',
  unassign: 'Unassign',
  assign: 'Assign',
  assignedMine: 'Yours',
  nobody: 'Unassigned',
  resolve: 'Resolve',
  reopen: 'Reopen',
  snooze: 'Snooze',
  snoozeChoices: { hour: 'In an hour', later: 'In three hours', tomorrow: 'Tomorrow morning', monday: 'Monday morning' },
  tags: 'Tags',
  addTag: 'Add a tag',
  removeTag: (tag: string): string => `Remove tag ${tag}`,
  reply: 'Reply',
  note: 'Note',
  replyTo: (name: string): string => `Text ${name}`,
  replyPlaceholder: 'Write a text. Enter sends.',
  notePlaceholder: 'Write a note. Only your team sees it.',
  send: 'Send',
  addNote: 'Add note',
  noteFrom: (operator: string): string => `Note by ${operator}`,
  noteTag: 'Note',
  segments: (count: number, left: number): string => `${plural(count, 'segment', 'segments')} · ${whole.format(left)} left`,
  costly: (characters: string): string => `${characters} makes each segment hold 70 characters instead of 160.`,
  makeCheaper: 'Use plain characters',
  tooLong: (over: number): string => `${whole.format(over)} characters too long`,
  pending: { waiting: 'Sending', asking: 'Sending', held: 'Held: goes out when the connection is back', taken: 'Sending' },
  pendingNote: { waiting: 'Saving', asking: 'Saving', held: 'Held: saved when the connection is back', taken: 'Saving' },
  notSentShort: 'Not sent:',
  notSent: (given: Problem): string => `Not sent: ${problem(given)}`,
  refused: (given: Problem): string => `That was not done: ${problem(given)}.`,
  putBack: 'Put it back',
  discard: 'Discard',
  leavesIn: (seconds: number): string => `Leaves in ${whole.format(seconds)} s`,
  leftAlready: 'Too late: it has left.',
  holdChoice: 'Seconds before a text leaves',
  holdHint: 'In that time Undo, or z, takes it back. 0: it leaves at once.',
  canned: 'Canned texts',
  noCanned: 'No canned text matches.',
  newMessage: 'New message',
  toNumber: 'To',
  theText: 'Text',
  joins: (name: string): string => `Joins the conversation with ${name}`,
  neverWrote: 'This number has never called or texted you. The law wants a reason why you may text it.',
  basis: 'They agreed',
  basisChoose: 'Choose how',
  bases: { phone: 'On the phone', in_person: 'In person', paper: 'On paper', web: 'In a form on a web page', email: 'By e-mail', other: 'In another way' },
  basisWords: 'In their words',
  basisPlaceholder: '“Text me when the part is in”',
  called: 'Mark as called',
  calledHint: 'You spoke with them: it no longer waits',
  calledNow: (row: Row): string => `Marked as called: ${who(row)}`,
  retry: 'Try again',
  sendAgain: 'Send again',
  giveUp: 'Give up',
  cancel: 'Take back',
  textBack: 'Text back',
  confirmation: 'Automatic answer',
  segmentsOf: (count: number): string => plural(count, 'segment', 'segments'),
  erasedText: 'Erased',
  olderLoading: 'Loading earlier messages',
  beginning: 'Beginning of the conversation',
  newBelow: 'Newest messages',
  looking: (names: string[]): string => `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} looking at this too`,
  typing: (names: string[]): string => `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing`,
  overtaken: (name: string): string => `${name} has just replied`,
  number: 'Number',
  call: 'Call',
  callBack: 'Call back',
  firstSeen: 'First seen',
  lastSeen: 'Last activity',
  line_: 'Line',
  episode: 'Opened',
  times: (count: number): string => (count === 1 ? 'once' : `${whole.format(count)} times`),
  saved: 'Saved',
  unassignedNow: 'Unassigned',
  yoursNow: 'It is yours',
  assignedNow: (operator: string): string => `Assigned to ${operator}`,
  select: 'Select',
  selectOne: (name: string): string => `Select ${name}`,
  selected: (count: number): string => `${whole.format(count)} selected`,
  selectAll: (count: number): string => `Select all ${whole.format(count)}`,
  clearSelection: 'Select nothing',
  manyYours: (count: number): string => plural(count, 'conversation is yours', 'conversations are yours'),
  manyUnassigned: (count: number): string => `Unassigned ${plural(count, 'conversation', 'conversations')}`,
  manyResolved: (count: number): string => `Resolved ${plural(count, 'conversation', 'conversations')}`,
  manyReopened: (count: number): string => `Reopened ${plural(count, 'conversation', 'conversations')}`,
  manySnoozed: (count: number, until: Date): string => `Snoozed ${plural(count, 'conversation', 'conversations')} until ${when(until)}`,
  manyTagged: (count: number, tag: string): string => `Tagged ${plural(count, 'conversation', 'conversations')} ${tag}`,
  resolvedNow: (row: Row): string => `Resolved: ${who(row)}`,
  snoozedNow: (row: Row, until: Date): string => `Snoozed until ${when(until)}: ${who(row)}`,
  undo: 'Undo',
  dismiss: 'Dismiss',
  notices: 'Notices',
  reloaded: 'You were away too long to catch up step by step. Everything was loaded anew.',
  cannotReach: 'The engine does not answer. Trying again.',
  theme: 'Theme',
  themes: { auto: 'Like the system', light: 'Light', dark: 'Dark' },
  signOut: 'Sign out',
  demo: 'Demo',
  demoHint: 'Demo mode: you are signed in by yourself, on this machine only.',
  signIn: 'Sign in',
  email: 'E-mail',
  password: 'Password',
  forgotten: 'No password yet, or forgotten? An admin makes you a link.',
  withToken: 'Use a token instead',
  useToken: 'Use this token',
  welcome: (operator: string): string => `Welcome, ${operator}`,
  newPassword: 'A new password',
  joining: (about: { email: string; tenant: string; reset: boolean }): string =>
    about.reset ? `For ${about.email}. Every other browser will be signed out.` : `You will sign in as ${about.email} at ${about.tenant}.`,
  choosePassword: 'Choose a password',
  passwordHint: 'At least ten characters. A few words you remember are better than signs you don’t.',
  setPassword: 'Set password and sign in',
  notLetIn,
  ...settings,
  ...overview,
  ...contact,
  ...mine,
  wizard,
  sessions: 'Where you are signed in',
  browser,
  thisBrowser: 'This browser',
  since: (time: string): string => `Since ${time}`,
  signOutEverywhere: 'Sign out everywhere',
  signInHint: 'Paste a token of yours. It is kept in this window’s memory only, and is gone when you close it.',
  signInHow: 'deskwire token --tenant TENANT --operator YOU',
  token: 'Token',
  badToken: 'This is not a token.',
  signedOut: 'You are signed out.',
  keys: 'Keys',
  keysOff: 'Single-letter keys',
  keysOffHint: 'Turn off if you dictate, or press keys by accident.',
  close: 'Close',
  palette: 'Commands',
  palettePlaceholder: 'Type a command or a name',
  paletteNone: 'Nothing matches.',
  goTo: (view: View): string => `Go to ${VIEW_NAMES[view]}`,
  more: 'More',
  commands: {
    next: 'Next conversation',
    previous: 'Previous conversation',
    open: 'Open, or write',
    reply: 'Reply',
    note: 'Write a note',
    resolve: 'Resolve or reopen',
    take: 'Take, or give back',
    snooze: 'Snooze',
    tag: 'Add a tag',
    search: 'Search',
    help: 'Show every key',
    palette: 'Commands',
    details: 'Contact details',
    undo: 'Undo',
    newMessage: 'New message',
    select: 'Select, to act on many',
    called: 'Mark a missed call as called',
    theme: 'Change the theme',
    away: 'Go away, or come back',
    escape: 'Leave what you are in',
  },
  fully,
};

export type Words = typeof en;
