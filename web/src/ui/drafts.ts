// Drafts: what was typed is never lost, not on navigation, reload, crash or sign-out. One per person, conversation and kind.
import { signal } from '@preact/signals';
import { keep, kept } from '../net/keep';
import { identity } from '../net/session';
import { focus, mode, type Mode } from './screen';

function name(conversation: string, kind: Mode): string {
  const who = identity.peek();
  return `draft.${who?.tenant ?? ''}.${who?.operator ?? ''}.${conversation}.${kind}`;
}

/** Raised when a draft was changed from outside its field. */
export const changed = signal(0);

export function draft(conversation: string, kind: Mode): string {
  const text = kept(name(conversation, kind));
  return typeof text === 'string' ? text : '';
}

export function keepDraft(conversation: string, kind: Mode, text: string): void {
  keep(name(conversation, kind), text);
}

/** Takes a text out again that was put back too early: it has left. */
export function takeOut(conversation: string, text: string, kind: Mode): void {
  const there = draft(conversation, kind);
  if (there !== text && !there.startsWith(`${text}\n`)) return;
  keepDraft(conversation, kind, there.slice(text.length + 1));
  changed.value += 1;
}

/** Puts a text back where it was written, before what is there now. */
export function putBack(conversation: string, text: string, kind: Mode): void {
  const there = draft(conversation, kind);
  keepDraft(conversation, kind, there === '' ? text : `${text}\n${there}`);
  mode.value = kind;
  changed.value += 1;
  focus('#write');
}
