// What is open on this screen. Nothing of it is anybody else's business.
import { computed, effect, signal } from '@preact/signals';
import { mine } from '../mine';
import { keep, kept } from '../net/keep';
import { route } from '../route';

export type Theme = 'auto' | 'light' | 'dark';
export type Mode = 'message' | 'note';

export const searchText = signal('');
export const dialog = signal<'help' | 'palette' | 'sessions' | 'new' | 'settings' | 'filters' | 'more' | 'wizard' | 'hours' | null>(null);
/** The contact column where there is room for it, and the drawer where there is not. */
export const columnOpen = signal(kept('column') !== false);
export const drawerOpen = signal(false);
export const menu = signal<'snooze' | 'me' | null>(null);
/** Writing to the contact, or a note. It belongs to the conversation that is open: another one begins with a reply. */
export const mode = signal<Mode>('message');
computed(() => route.value.conversation).subscribe(() => (mode.value = 'message'));
/** What a search found and was opened: the conversation goes there. */
export const sought = signal<{ readonly conversation: string; readonly offset: number } | null>(null);
export const theme = signal<Theme>(asTheme(kept('theme')));

export function nextTheme(): void {
  theme.value = theme.peek() === 'auto' ? 'light' : theme.peek() === 'light' ? 'dark' : 'auto';
}

/** Whether single letters are commands (WCAG 2.1.4: they can be turned off). */
/** Seconds that a text stays here before it leaves, for whoever wants it back. */
export const holdSeconds = signal(asHold(kept('hold')));
export const HOLD_MAX = 30;
export const letters = signal(kept('letters') !== false);

function asHold(given: unknown): number {
  return typeof given === 'number' && given >= 0 && given <= 30 ? Math.round(given) : 4;
}

function asTheme(given: unknown): Theme {
  return given === 'light' || given === 'dark' ? given : 'auto';
}

const wide = matchMedia('(min-width: 1100px)');

export function toggleContact(): void {
  if (wide.matches) columnOpen.value = !columnOpen.peek();
  else drawerOpen.value = !drawerOpen.peek();
}

/** At once, so that the next key finds it; what is only about to be there gets it with the next frame. */
export function focus(selector: string): void {
  const now = document.querySelector<HTMLElement>(selector);
  now?.focus();
  requestAnimationFrame(() => {
    if (now?.isConnected !== true) document.querySelector<HTMLElement>(selector)?.focus();
  });
}

export function write(how: Mode): void {
  mode.value = how;
  focus('#write');
}

effect(() => void keep('column', columnOpen.value ? null : false));
effect(() => void keep('hold', holdSeconds.value === 4 ? null : holdSeconds.value));
// What the engine keeps for the person wins over what this browser remembers.
effect(() => {
  const hold = mine.value?.preferences.hold_s;
  if (hold != null) holdSeconds.value = asHold(hold);
});
effect(() => void keep('letters', letters.value ? null : false));
effect(() => {
  const root = document.documentElement;
  if (theme.value === 'auto') delete root.dataset['theme'];
  else root.dataset['theme'] = theme.value;
  keep('theme', theme.value === 'auto' ? null : theme.value);
});
