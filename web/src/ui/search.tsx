// Search: people that are loaded at once, texts and notes from the engine a moment later, with what matched marked.
import { signal } from '@preact/signals';
import { Search, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { rows } from '../desk';
import { rest } from '../net/rest';
import { go, route } from '../route';
import { viewOf } from '../desk';
import { short } from '../time';
import type { Row, SearchPage } from '../types';
import { words } from '../words';
import { Face, Key } from './parts';
import { aroundFound } from '../state/snippet';
import { focus, searchText, sought } from './screen';

const found = signal<{ query: string; page: SearchPage } | null>(null);
const PEOPLE_MAX = 6;
const PAUSE_MS = 140;

export function SearchBox(): JSX.Element {
  return (
    <div class="search">
      <Search size={16} aria-hidden="true" />
      <input
        id="search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        aria-label={words.search}
        placeholder={words.searchHint}
        value={searchText.value}
        onInput={(event) => (searchText.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
          event.preventDefault();
          focus('.results a');
        }}
      />
      {searchText.value === '' ? (
        <Key keys="/" />
      ) : (
        <button type="button" class="act" aria-label={words.clearSearch} title={words.clearSearch} onClick={() => (searchText.value = '')}>
          <X size={16} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

function people(query: string): Row[] {
  const wanted = query.toLowerCase();
  const digits = query.replaceAll(/\D/g, '');
  const hits: Row[] = [];
  for (const row of rows.value.values()) {
    const named = row.name?.toLowerCase().includes(wanted) === true;
    const numbered = digits.length >= 3 && row.address?.includes(digits) === true;
    if (named || numbered || row.tags.some((tag) => tag.toLowerCase() === wanted)) hits.push(row);
  }
  return hits.sort((one, other) => other.activity - one.activity).slice(0, PEOPLE_MAX);
}

export function Results(): JSX.Element {
  const query = searchText.value.trim();
  const turn = useRef(0);
  useEffect(() => {
    turn.current += 1;
    const mine = turn.current;
    const timer = setTimeout(() => {
      rest.search(query).then(
        (page) => mine === turn.current && (found.value = { query, page }),
        () => undefined,
      );
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query]);
  const near = people(query);
  const page = found.value?.query === query ? found.value.page : null;
  const byNumber = page?.contact != null && !near.some((row) => row.conversation === page.contact?.conversation) ? [page.contact] : [];
  const hits = page?.hits ?? [];
  const none = page !== null && hits.length === 0 && near.length + byNumber.length === 0;
  return (
    <div class="rows results" aria-busy={page === null}>
      <p class="heard" role="status">
        {page === null ? words.searching : words.searchMatches(hits.length + near.length + byNumber.length)}
      </p>
      {[...near, ...byNumber].map((row) => (
        <Result key={row.conversation} row={row} id={row.conversation} />
      ))}
      {hits.map((hit) => (
        <Result key={`hit-${hit.offset}`} row={rows.value.get(hit.conversation) ?? null} id={hit.conversation} at={hit.at} offset={hit.offset}>
          {aroundFound(hit.snippet).map((piece, at) => (piece.hit === true ? <mark key={at}>{piece.text}</mark> : piece.text))}
        </Result>
      ))}
      {none && <p class="empty">{words.nothingFound(query)}</p>}
    </div>
  );
}

function Result({ row, id, at, offset, children }: { row: Row | null; id: string; at?: number; offset?: number; children?: JSX.Element | (JSX.Element | string)[] }): JSX.Element {
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const fits = row === null ? route.peek().view : viewOf(row);
    sought.value = offset === undefined ? null : { conversation: id, offset };
    go({ view: fits, conversation: id });
  };
  const move = (event: KeyboardEvent & { currentTarget: HTMLAnchorElement }): void => {
    const to = event.key === 'ArrowDown' ? event.currentTarget.nextElementSibling : event.key === 'ArrowUp' ? event.currentTarget.previousElementSibling : null;
    if (to instanceof HTMLElement && to.matches('a')) {
      event.preventDefault();
      to.focus();
    }
  };
  return (
    <a class="row" href={`/inbox/all/${id}`} onClick={open} onKeyDown={move} aria-current={route.value.conversation === id ? 'true' : undefined}>
      {row === null ? <span class="face" aria-hidden="true" /> : <Face row={row} />}
      <span class="row-who">{row === null ? words.conversation : words.who(row)}</span>
      {at !== undefined && <span class="row-when">{short(at)}</span>}
      <span class="row-last">{children ?? row?.last_message?.text ?? ''}</span>
    </a>
  );
}
