// Everything that a key does: one list for the keyboard, the palette and the help.
import { actions, current, listed, mayAdminister, mayWrite, me, timeline } from '../desk';
import { chosen, isAway, setAvailability } from '../mine';
import { go, route } from '../route';
import { items } from '../state/timeline';
import { VIEWS, type View } from '../state/views';
import { undoLast } from '../toasts';
import type { BlockReason, Row } from '../types';
import { words } from '../words';
import { clearSelection, selection, toggle } from './selection';
import { dialog, drawerOpen, focus, menu, nextTheme, searchText, toggleContact, write } from './screen';

export interface Command {
  readonly id: string;
  readonly name: string;
  /** As it is pressed; shown in tooltips and help. */
  readonly key: string;
  readonly run: () => void;
  /** Whether it can be done now. */
  readonly can: () => boolean;
}

const always = (): boolean => true;
const withRow = (): boolean => current.peek() !== null && mayWrite.peek();

/** Moves through the list as it is shown. */
function step(by: number): void {
  const rows = listed.peek();
  const at = rows.findIndex((row) => row.conversation === route.peek().conversation);
  const to = at === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
  const row = rows[to];
  if (row !== undefined) go({ conversation: row.conversation }, at === -1 ? 'push' : 'replace');
}

/** Does what takes a row off the list: the one after it takes its place. */
function goOn(row: Row, act: () => void): void {
  const rows = listed.peek();
  const at = rows.findIndex((one) => one.conversation === row.conversation);
  const next = rows[at + 1] ?? rows[at - 1] ?? null;
  act();
  if (route.peek().view !== 'resolved') go({ conversation: next?.conversation ?? null }, 'replace');
}

/** Resolves; what is resolved or blocked already, it brings back. */
export function resolveCurrent(): void {
  const row = current.peek();
  if (row === null) return;
  if (row.blocked != null) {
    actions.unblock(row);
    return;
  }
  if (!row.open) {
    actions.reopen(row);
    return;
  }
  goOn(row, () => actions.resolve(row));
}

function blockCurrent(why: BlockReason): void {
  const row = current.peek();
  if (row === null) return;
  goOn(row, () => actions.block(row, why));
}

export function takeCurrent(): void {
  const row = current.peek();
  if (row !== null) actions.assign(row, row.assigned === me.peek() ? null : me.peek());
}

export function snoozeCurrent(until: Date): void {
  const row = current.peek();
  menu.value = null;
  if (row !== null) actions.snooze(row, until);
}

function view(to: View, at: number): Command {
  const run = (): void => {
    chosen.value = null;
    go({ view: to, conversation: null });
  };
  return { id: `view-${to}`, name: words.goTo(to), key: String(at + 1), run, can: always };
}

export const commands: readonly Command[] = [
  { id: 'next', name: words.commands.next, key: 'j', run: () => step(1), can: always },
  { id: 'previous', name: words.commands.previous, key: 'k', run: () => step(-1), can: always },
  { id: 'open', name: words.commands.open, key: 'Enter', run: () => (route.peek().conversation === null ? step(1) : write('message')), can: always },
  { id: 'reply', name: words.commands.reply, key: 'r', run: () => write('message'), can: withRow },
  { id: 'note', name: words.commands.note, key: 'n', run: () => write('note'), can: withRow },
  { id: 'resolve', name: words.commands.resolve, key: 'e', run: resolveCurrent, can: withRow },
  { id: 'take', name: words.commands.take, key: 'a', run: takeCurrent, can: withRow },
  { id: 'snooze', name: words.commands.snooze, key: 's', run: () => (menu.value = 'snooze'), can: withRow },
  { id: 'tag', name: words.commands.tag, key: 't', run: openTags, can: withRow },
  { id: 'search', name: words.commands.search, key: '/', run: openSearch, can: always },
  { id: 'details', name: words.commands.details, key: 'i', run: toggleContact, can: always },
  { id: 'undo', name: words.commands.undo, key: 'z', run: () => undoSend() || undoLast(), can: always },
  { id: 'select', name: words.commands.select, key: 'x', run: selectCurrent, can: withRow },
  { id: 'new', name: words.commands.newMessage, key: 'c', run: () => (dialog.value = 'new'), can: () => mayWrite.peek() },
  { id: 'called', name: words.commands.called, key: 'l', run: calledCurrent, can: () => withRow() && current.peek()?.missed_call != null },
  ...VIEWS.map(view),
  { id: 'overview', name: words.overview, key: 'o', run: () => go({ area: 'overview', conversation: null }), can: always },
  { id: 'filters', name: words.filters, key: 'f', run: () => (dialog.value = 'filters'), can: () => mayWrite.peek() },
  { id: 'away', name: words.commands.away, key: '', run: () => void setAvailability(isAway.peek() ? 'available' : 'away'), can: () => mayWrite.peek() },
  { id: 'hours', name: words.hours, key: '', run: () => (dialog.value = 'hours'), can: () => mayWrite.peek() },
  { id: 'block', name: words.block, key: '', run: () => blockCurrent('unwanted'), can: () => withRow() && current.peek()?.blocked == null },
  { id: 'spam', name: words.markSpam, key: '', run: () => blockCurrent('spam'), can: () => withRow() && current.peek()?.blocked == null },
  { id: 'settings', name: words.settings, key: '', run: () => (dialog.value = 'settings'), can: () => mayAdminister.peek() },
  { id: 'wizard', name: words.wizard.begin, key: '', run: () => (dialog.value = 'wizard'), can: () => mayAdminister.peek() },
  { id: 'theme', name: words.commands.theme, key: '', run: nextTheme, can: always },
  { id: 'palette', name: words.commands.palette, key: 'Ctrl K', run: () => (dialog.value = 'palette'), can: always },
  { id: 'help', name: words.commands.help, key: '?', run: () => (dialog.value = 'help'), can: always },
];

/** The last text of mine here that is still held. */
function undoSend(): boolean {
  const conversation = route.peek().conversation;
  const shown = timeline.peek();
  if (conversation === null || shown === null) return false;
  const now = Date.now() * 1_000;
  const held = items(shown.events, () => '').findLast(
    (item) => item.kind === 'message' && item.message.by === me.peek() && item.message.sending?.status === 'queued' && item.message.sending.heldUntil > now,
  );
  if (held?.kind !== 'message') return false;
  actions.takeBack(conversation, held.message.id, held.message.text ?? '');
  return true;
}

function selectCurrent(): void {
  const row = current.peek();
  if (row !== null) toggle(row.conversation);
}

function calledCurrent(): void {
  const row = current.peek();
  if (row !== null) actions.called(row);
}

function openSearch(): void {
  // On a narrow screen the search stands above the list.
  if (matchMedia('(max-width: 719px)').matches) go({ conversation: null });
  focus('#search');
}

function openTags(): void {
  if (document.querySelector('#tag') === null || !matchMedia('(min-width: 1100px)').matches) toggleContact();
  focus('#tag');
}

/** Escape leaves the innermost thing. */
export function escape(): void {
  const active = document.activeElement;
  if (menu.peek() !== null) menu.value = null;
  else if (selection.peek().size > 0) clearSelection();
  else if (drawerOpen.peek()) drawerOpen.value = false;
  else if (active instanceof HTMLElement && active.matches('input, textarea')) {
    if (active.id === 'search') searchText.value = '';
    active.blur();
    focus('.row[aria-current="true"]');
  } else if (searchText.peek() !== '') searchText.value = '';
  else if (matchMedia('(max-width: 719px)').matches) go({ conversation: null });
}
