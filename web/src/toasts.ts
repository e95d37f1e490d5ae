// Short words at the edge of the screen: what was done, how to undo it, what was refused.
import { signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'problem';
  readonly undo: (() => void) | null;
}

export const toasts = signal<readonly Toast[]>([]);
let last = 0;
const SHOWN_MS = 7_000;
const MOST = 3;

export function say(what: { text: string; kind?: 'problem'; undo?: () => unknown }): void {
  last += 1;
  const id = last;
  const act = what.undo;
  const undo = act === undefined ? null : (): void => {
    dismiss(id);
    act();
  };
  toasts.value = [...toasts.peek(), { id, text: what.text, kind: what.kind ?? ('done' as const), undo }].slice(-MOST);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

/** Undoes the latest thing that can be. */
export function undoLast(): void {
  toasts.peek().findLast((toast) => toast.undo !== null)?.undo?.();
}
