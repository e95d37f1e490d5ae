// Small pieces that many places show.
import type { ComponentChildren, JSX } from 'preact';
import { words } from '../words';
import type { Row } from '../types';

const TINTS = 8;

function tint(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return sum % TINTS;
}

function initials(row: Row): string {
  const name = row.name ?? '';
  if (name !== '') {
    const parts = name.split(/\s+/).filter((part) => part !== '');
    return ((parts[0]?.[0] ?? '') + (parts.length > 1 ? (parts.at(-1)?.[0] ?? '') : '')).toUpperCase();
  }
  return row.address != null && row.address !== 'anonymous' ? row.address.slice(-2) : '–';
}

/** Tells contacts apart at a glance; says nothing that the name beside it does not. */
export function Face({ row, large }: { row: Row; large?: boolean }): JSX.Element {
  return (
    <span class={large === true ? 'face large' : 'face'} data-tint={tint(row.contact)} aria-hidden="true">
      {initials(row)}
    </span>
  );
}

interface ActProps {
  label: string;
  /** Its key, for the tooltip. */
  keys?: string;
  onClick: () => void;
  children: ComponentChildren;
  class?: string;
  pressed?: boolean;
  disabled?: boolean;
  /** Shows the label beside the icon. */
  named?: boolean;
  expanded?: boolean;
  /** How it is now, for the tooltip. */
  hint?: string | null;
}

/** A button with an icon: always with a name, and a tooltip with its key. */
export function Act({ label, keys, onClick, children, class: kind, pressed, disabled, named, expanded, hint }: ActProps): JSX.Element {
  return (
    <button
      type="button"
      class={`act ${kind ?? ''}`}
      aria-label={named === true ? undefined : label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-keyshortcuts={keys}
      aria-description={hint ?? undefined}
      title={`${label}${keys === undefined ? '' : ` (${keys})`}${hint == null ? '' : `. ${hint}`}`}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
      {named === true && <span>{label}</span>}
    </button>
  );
}

export function Tags({ tags, most }: { tags: readonly string[]; most: number }): JSX.Element | null {
  if (tags.length === 0) return null;
  return (
    <span class="tags">
      {tags.slice(0, most).map((tag) => (
        <span key={tag} class="tag">
          {tag}
        </span>
      ))}
      {tags.length > most && <span class="tag">+{tags.length - most}</span>}
    </span>
  );
}

/** What screen readers hear and nobody sees. */
export function Heard({ children }: { children: ComponentChildren }): JSX.Element {
  return <span class="heard">{children}</span>;
}

export function Key({ keys }: { keys: string }): JSX.Element {
  return <kbd>{keys === 'Ctrl K' && /Macintosh/.test(navigator.userAgent) ? '⌘ K' : keys}</kbd>;
}

export function operatorName(operator: string, me: string): string {
  return operator === me ? words.you : operator;
}
