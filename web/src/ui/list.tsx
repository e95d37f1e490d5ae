// The inbox's list: who waits, for how long, what was said last. It never moves what the pointer or the selection is on.
import { ArrowUp, Clock, PhoneMissed, SquarePen, UserRound, Voicemail } from 'lucide-preact';
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { listed, mayAdminister, mayWrite, me, moreResolved, ready, totals, trouble, whole } from '../desk';
import { chosen } from '../mine';
import { go, route } from '../route';
import { lastThing, unseen } from '../state/last';
import { age, fully, longWait, now, short, shortWait } from '../time';
import type { Row } from '../types';
import { words } from '../words';
import { Act, Face, Heard, Tags } from './parts';
import { FilterAct, FilterBar } from './filters';
import { Results, SearchBox } from './search';
import { SelectBox, SelectionBar, selection, toggle } from './selection';
import { dialog, searchText } from './screen';
import { useVirtual } from './virtual';
import { TestNumbers } from './empty';

export const ROW = 64;

/** How many rows joined above what is looked at. */
const joined = signal(0);

export function List(): JSX.Element {
  const searching = searchText.value.trim() !== '';
  return (
    <section class="list" aria-label={words.list}>
      <header class="list-head">
        <div class="list-top">
          <Waiting />
          {mayWrite.value && <FilterAct />}
          {mayWrite.value && (
            <Act label={words.newMessage} keys="c" onClick={() => (dialog.value = 'new')}>
              <SquarePen size={18} aria-hidden="true" />
            </Act>
          )}
        </div>
        <SearchBox />
        {!searching && <FilterBar />}
        {!searching && <Heading />}
        {!searching && <SelectionBar />}
      </header>
      {searching ? <Results /> : <Rows />}
    </section>
  );
}

/** What the list shows. What joined above stands beside it: over the rows it would cover somebody's words. */
function Heading(): JSX.Element {
  return (
    <div class="list-name">
      <h2>{chosen.value?.name ?? words.viewNames[route.value.view]}</h2>
      {joined.value > 0 && (
        <button type="button" class="pill joined" onClick={() => document.querySelector('.rows')?.scrollTo({ top: 0 })}>
          <ArrowUp size={14} aria-hidden="true" /> {words.newOnes(joined.value)}
        </button>
      )}
    </div>
  );
}

/** How many wait and for how long the longest has: the number is the product. */
function Waiting(): JSX.Element {
  const { waiting, longest } = totals.value;
  const urgent = longest === null ? 'fresh' : age(longest, now.value);
  const words_ = longest === null ? null : longWait(longest, now.value);
  return (
    <h1 class="waiting-line" data-age={waiting > 0 ? urgent : 'none'}>
      {ready.value ? words.waitingLine(waiting, words_, !whole.value) : words.loading}
    </h1>
  );
}

/** Keeps in place what is looked at: rows that join above scroll the list instead of moving it. */
function useAnchor(rows: readonly Row[], scroller: { current: HTMLElement | null }): () => void {
  const before = useRef<{ rows: readonly Row[]; view: string }>({ rows, view: route.value.view });
  const pointer = useRef<number | null>(null);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const move = (event: PointerEvent): void => {
      pointer.current = event.pointerType === 'mouse' ? event.clientY - element.getBoundingClientRect().top : null;
    };
    const away = (): void => {
      pointer.current = null;
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerleave', away);
    return () => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerleave', away);
    };
  }, [scroller]);
  useLayoutEffect(() => {
    const element = scroller.current;
    const last = before.current;
    before.current = { rows, view: route.peek().view };
    if (element === null || last.rows === rows) return;
    if (last.view !== route.peek().view) {
      element.scrollTop = 0;
      joined.value = 0;
      return;
    }
    const top = element.scrollTop;
    if (pointer.current === null && top <= 0) return;
    const moved = shift(last.rows, rows, Math.floor((top + (pointer.current ?? 0)) / ROW));
    if (moved === 0) return;
    const to = top + moved * ROW;
    // A short list has no room to scroll: it is given some.
    const room = element.querySelector('ul');
    if (room !== null) room.style.minHeight = `${to + element.clientHeight}px`;
    element.scrollTop = to;
    if (moved > 0) joined.value += moved;
  }, [rows, scroller]);
  const seen = (): void => {
    joined.value = 0;
    const room = scroller.current?.querySelector('ul');
    if (room != null) room.style.minHeight = '';
  };
  useEffect(() => () => void (joined.value = 0), []);
  return seen;
}

/** By how many places the row at `index`, or the next one that did not move by itself, was moved. */
function shift(before: readonly Row[], after: readonly Row[], index: number): number {
  for (let at = index; at < Math.min(before.length, index + 12); at += 1) {
    const row = before[at];
    if (row === undefined) return 0;
    const place = after.findIndex((one) => one.conversation === row.conversation);
    if (place !== -1 && after[place]?.activity === row.activity) return place - at;
  }
  return 0;
}

function Rows(): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = listed.value;
  const { view, conversation } = route.value;
  const virtual = useVirtual(rows.length, ROW, scroller);
  const seen = useAnchor(rows, scroller);
  const selected = rows.findIndex((row) => row.conversation === conversation);

  useEffect(() => {
    if (selected !== -1) virtual.scrollToIndex(selected, { align: 'auto' });
    // Only a new selection is brought into view; a list that changes is left where it is.
  }, [conversation, view]);

  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (view === 'resolved' && last >= rows.length - 20) void moreResolved();
  }, [view, last, rows.length]);

  return (
    <div class="rows" ref={scroller} onScroll={() => scroller.current !== null && scroller.current.scrollTop < 8 && seen()}>
      {trouble.value && <p class="quiet">{words.cannotReach}</p>}
      {ready.value && rows.length === 0 && <Empty />}
      {!ready.value && <Skeleton />}
      <ul style={{ height: `${virtual.getTotalSize()}px` }}>
        {shown.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const isCurrent = row.conversation === conversation;
          const reached = selected === -1 ? item.index === 0 : isCurrent;
          return (
            <li key={row.conversation} style={{ transform: `translateY(${item.start}px)` }} aria-setsize={rows.length} aria-posinset={item.index + 1}>
              <RowLink row={row} current={isCurrent} reached={reached} />
              {mayWrite.value && <SelectBox row={row} />}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** The list's shape, until the first page is there. */
function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: 8 }, (_, at) => (
        <div key={at} class="skeleton-row" />
      ))}
    </div>
  );
}

function Empty(): JSX.Element {
  const { view } = route.value;
  return (
    <div class="empty">
      <p>{chosen.value === null ? words.emptyViews[view] : words.filterEmpty(chosen.value.name)}</p>
      {(view === 'all' || view === 'unassigned') && <TestNumbers />}
      {view === 'all' && mayAdminister.value && (
        <button type="button" class="plain" onClick={() => (dialog.value = 'wizard')}>
          {words.wizard.begin}
        </button>
      )}
    </div>
  );
}

function RowLink({ row, current, reached }: { row: Row; current: boolean; reached: boolean }): JSX.Element {
  const view = route.value.view;
  const unread = unseen(row);
  const open = (event: MouseEvent): void => {
    if (event.shiftKey && mayWrite.peek()) {
      event.preventDefault();
      toggle(row.conversation, true);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go({ conversation: row.conversation });
  };
  return (
    <a
      class="row"
      href={`/inbox/${view}/${row.conversation}`}
      aria-current={current ? 'true' : undefined}
      tabIndex={reached ? 0 : -1}
      data-unread={unread > 0 ? '' : undefined}
      data-chosen={selection.value.has(row.conversation) ? '' : undefined}
      onClick={open}
    >
      <Face row={row} />
      <span class="row-who">{words.who(row)}</span>
      <When row={row} />
      <LastWords row={row} />
      <span class="row-end">
        {row.blocked != null && <span class="tag bad">{words.blockedAs[row.blocked]}</span>}
        <Tags tags={row.tags} most={1} />
        {row.assigned != null && (
          <span class="assignee" title={words.assignedTo(row.assigned)}>
            <UserRound size={12} aria-hidden="true" />
            <Heard>{words.assignedTo('')}</Heard>
            {row.assigned === me.value ? words.you : row.assigned}
          </span>
        )}
        {unread > 0 && (
          <span class="unread">
            {unread}
            <Heard> {words.unread(unread)}</Heard>
          </span>
        )}
      </span>
    </a>
  );
}

function When({ row }: { row: Row }): JSX.Element {
  if (row.waiting_since == null) {
    const at = row.snoozed_until ?? row.activity;
    return (
      <time class="row-when" title={fully(at)}>
        {short(at)}
      </time>
    );
  }
  return (
    <span class="row-when waits" data-age={age(row.waiting_since, now.value)} title={words.waitsFor(longWait(row.waiting_since, now.value))}>
      <Clock size={12} aria-hidden="true" />
      <Heard>{words.waitsFor('')}</Heard>
      {shortWait(row.waiting_since, now.value)}
    </span>
  );
}

function LastWords({ row }: { row: Row }): JSX.Element {
  const last = row.last_message;
  const what = lastThing(row);
  if (what === 'voicemail' || what === 'missed-voicemail') {
    return (
      <span class="row-last missed">
        <Voicemail size={13} aria-hidden="true" /> {what === 'voicemail' ? words.voicemail : words.missedVoicemail}
      </span>
    );
  }
  if (what === 'missed') {
    return (
      <span class="row-last missed">
        <PhoneMissed size={13} aria-hidden="true" /> {words.missedCall}
      </span>
    );
  }
  if (last == null) return <span class="row-last">{words.noWords}</span>;
  const text = last.text != null && last.text !== '' ? last.text : last.media > 0 ? words.picture(last.media) : words.erasedText;
  return (
    <span class="row-last">
      {last.direction === 'outbound' && <span class="row-by">{words.youPrefix} </span>}
      {last.status === 'failed' && <span class="bad">{words.notSentShort} </span>}
      {text}
    </span>
  );
}
