// Canned texts: `/` in an empty field lists them as they would read here; Enter takes one, and it can still be changed.
import { signal } from '@preact/signals';
import type { HTMLAttributes, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { me } from '../desk';
import { rest } from '../net/rest';
import type { Row, Texts } from '../types';
import { words } from '../words';

const texts = signal<Texts | null>(null);
let asked = 0;
const FRESH_MS = 20_000;

async function load(): Promise<void> {
  if (Date.now() - asked < FRESH_MS) return;
  asked = Date.now();
  texts.value = await rest.texts().catch(() => texts.peek());
}

/** Fills in what is known; what is not stays as it is, so that nobody sends it unseen. */
export function filled(text: string, row: Pick<Row, 'name'> | null, business: string): string {
  const known: Record<string, string> = { business, operator: me.peek(), name: row?.name ?? '' };
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = known[name] ?? '';
    return value === '' ? whole : value;
  });
}

interface Choice {
  readonly id: string;
  readonly text: string;
}

export interface Canned {
  readonly choices: readonly Choice[];
  readonly at: number;
  readonly query: string | null;
  readonly take: (choice: Choice) => void;
  readonly press: (event: KeyboardEvent) => boolean;
  readonly field: HTMLAttributes<HTMLTextAreaElement>;
}

const MOST = 8;

export function useCanned(row: Row, text: string, write: (text: string) => void): Canned {
  const [at, setAt] = useState(0);
  const [left, setLeft] = useState('');
  const query = /^\/[^\s]*$/.test(text) && left !== text ? text.slice(1).toLowerCase() : null;
  useEffect(() => {
    if (query !== null) void load();
    setAt(0);
  }, [query]);
  const known = texts.value;
  const choices = query === null || known === null ? [] : matching(known, query, row);
  const take = (choice: Choice): void => write(choice.text);
  const press = (event: KeyboardEvent): boolean => {
    const chosen = choices[at];
    if (query === null || event.isComposing) return false;
    if (event.key === 'Escape') setLeft(text);
    else if (chosen === undefined) return false;
    else if (event.key === 'ArrowDown') setAt((at + 1) % choices.length);
    else if (event.key === 'ArrowUp') setAt((at + choices.length - 1) % choices.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(chosen);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const open = choices.length > 0;
  const field: HTMLAttributes<HTMLTextAreaElement> = open
    ? { 'aria-haspopup': 'listbox', 'aria-controls': 'canned', 'aria-activedescendant': `canned-${at}`, 'aria-autocomplete': 'list' }
    : {};
  return { choices, at, query, take, press, field };
}

function matching(known: Texts, query: string, row: Row): Choice[] {
  const all = known.rows.map(({ template, text }) => ({ id: template, text: filled(text, row, known.business_name) }));
  const fits = all.filter(({ id, text }) => id.toLowerCase().includes(query) || text.toLowerCase().includes(query));
  return fits.slice(0, MOST);
}

export function CannedList({ canned }: { canned: Canned }): JSX.Element | null {
  if (canned.query === null) return null;
  if (canned.choices.length === 0) {
    return texts.value === null ? null : <p class="canned-none quiet">{words.noCanned}</p>;
  }
  return (
    <ul id="canned" class="canned" role="listbox" aria-label={words.canned}>
      {canned.choices.map((choice, index) => (
        <li
          key={choice.id}
          id={`canned-${index}`}
          role="option"
          aria-selected={index === canned.at}
          onPointerDown={(event) => {
            // The field keeps the focus.
            event.preventDefault();
            canned.take(choice);
          }}
        >
          <strong>{choice.id}</strong>
          <span>{choice.text}</span>
        </li>
      ))}
    </ul>
  );
}
