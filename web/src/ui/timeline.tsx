// Messages, notes and events of one conversation, newest at the bottom. What is older is added above without a jump.
import { signal, useComputed } from '@preact/signals';
import { ArrowDown, PhoneMissed, PhoneOutgoing, StickyNote, Voicemail } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { actions, mayWrite, me, older, timeline } from '../desk';
import { drop, orders, textOf, type Order } from '../net/outbox';
import { rest } from '../net/rest';
import { author, items, type Item } from '../state/timeline';
import { dayName, dayOf, fully, now, time } from '../time';
import type { ConversationEvent, Row } from '../types';
import { words } from '../words';
import { Bubble, PendingBubble } from './bubble';
import { putBack } from './drafts';
import { Heard, operatorName } from './parts';
import { sought } from './screen';

/** Place and time of texts that wait, by message. The engine tells when it is asked. */
const places = signal<ReadonlyMap<string, { place: number; estimate_ms?: number | null }>>(new Map());
const ASK_MS = 2_000;
/** How long what was searched for stays marked. */
const MARKED_MS = 6_000;

export function TimelineView({ id, row }: { id: string; row: Row | null }): JSX.Element {
  const shown = useComputed(() => {
    const known = timeline.value;
    return known === null ? [] : items(known.events, dayOf);
  }).value;
  const known = timeline.value;
  const scroller = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(false);
  usePlaces(shown);
  const marked = useSought(id, shown, scroller);
  const drawn = useDrawn(id, row, marked);

  // The scroller grows upwards: its zero is the newest message, so what is added above moves nothing.
  const scrolled = (): void => {
    const element = scroller.current;
    if (element === null) return;
    setBelow(element.scrollTop < -200);
    if (element.scrollHeight + element.scrollTop - element.clientHeight < 600) void older(id);
  };
  useEffect(scrolled, [shown]);
  const toNewest = (): void => scroller.current?.scrollTo({ top: 0, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });

  return (
    <div class="scroll-place">
      <div class="scroll" ref={scroller} onScroll={scrolled} tabIndex={0} role="region" aria-label={row === null ? words.conversation : words.who(row)}>
        <div class="timeline" role="log" aria-label={words.messages} aria-busy={known?.loaded !== true}>
          {known?.loaded === true && <p class="quiet beginning">{known.before === null ? words.beginning : words.olderLoading}</p>}
          <ol>{drawn(shown)}</ol>
          <Pending id={id} shown={shown} />
        </div>
      </div>
      {below && (
        <button type="button" class="pill bottom" onClick={toNewest}>
          <ArrowDown size={14} aria-hidden="true" /> {words.newBelow}
        </button>
      )}
    </div>
  );
}

/** Goes to what a search found, as far back as it is, and marks it for a while. */
function useSought(id: string, shown: readonly Item[], scroller: { current: HTMLElement | null }): string | null {
  const [marked, setMarked] = useState<string | null>(null);
  const known = timeline.value;
  const wanted = sought.value?.conversation === id ? sought.value.offset : null;
  useEffect(() => {
    if (wanted === null || known?.loaded !== true) return;
    const key = String(wanted);
    if (shown.some((item) => item.key === key)) {
      sought.value = null;
      setMarked(key);
      scroller.current?.querySelector(`[data-event="${key}"]`)?.scrollIntoView({ block: 'center' });
      return;
    }
    // A name is no place in the conversation, and what is before its beginning is not there either.
    if (known.before === null || (known.events[0]?.offset ?? 0) <= wanted) sought.value = null;
    else void older(id);
  }, [wanted, known, shown, scroller, id]);
  useEffect(() => {
    if (marked === null) return undefined;
    const timer = setTimeout(() => setMarked(null), MARKED_MS);
    return () => clearTimeout(timer);
  }, [marked]);
  return marked;
}

/** What did not change is the same element as before, and is not looked at again. */
function useDrawn(id: string, row: Row | null, marked: string | null): (shown: readonly Item[]) => JSX.Element[] {
  const [known] = useState(() => new Map<string, { told: string; drawn: JSX.Element }>());
  const around = `${row === null ? '' : words.who(row)} ${row?.address ?? ''} ${me.value} ${dayOf(now.value)}`;
  return (shown) =>
    shown.map((item) => {
      const told = `${around} ${item.key === marked} ${JSON.stringify(item)}`;
      const before = known.get(item.key);
      if (before?.told === told) return before.drawn;
      const drawn = (
        <li key={item.key} class={`item ${item.kind}`} data-event={item.key} data-sought={item.key === marked ? '' : undefined}>
          <One item={item} conversation={id} row={row} />
        </li>
      );
      known.set(item.key, { told, drawn });
      return drawn;
    });
}

function One({ item, conversation, row }: { item: Item; conversation: string; row: Row | null }): JSX.Element {
  switch (item.kind) {
    case 'day':
      return <h3 class="day-name">{dayName(item.at, words)}</h3>;
    case 'message':
      return <Bubble item={item} conversation={conversation} name={row === null ? '' : words.who(row)} places={places} />;
    case 'note':
      return (
        <article class="note">
          <header>
            <StickyNote size={14} aria-hidden="true" />
            <strong>{words.noteTag}</strong> {operatorName(item.by, me.value)}
            <time title={fully(item.at)}>{time(item.at)}</time>
          </header>
          <p>{item.text ?? words.erasedText}</p>
        </article>
      );
    case 'line': {
      if (item.event.type === 'call.voicemail') return <VoicemailLine event={item.event} />;
      const missed = item.event.type === 'call.missed';
      return (
        <p class={missed ? 'line missed' : 'line'}>
          {missed && <PhoneMissed size={14} aria-hidden="true" />}
          <span>{words.line(item.event, author(item.event), me.value)}</span>
          <time title={fully(item.at)}>{time(item.at)}</time>
          {missed && row?.address != null && row.address !== 'anonymous' && (
            <a class="text-act" href={`tel:${row.address}`}>
              <PhoneOutgoing size={13} aria-hidden="true" /> {words.callBack}
            </a>
          )}
          {missed && row?.missed_call === item.at && mayWrite.value && (
            <button type="button" class="text-act" title={`${words.calledHint} (l)`} onClick={() => actions.called(row)}>
              {words.called}
            </button>
          )}
        </p>
      );
    }
  }
}

/** A message after the tone: its words, where somebody wrote them down, and where it can be heard. */
function VoicemailLine({ event }: { event: ConversationEvent }): JSX.Element {
  const place = event.media?.[0]?.url;
  return (
    <div class="line voicemail">
      <p>
        <Voicemail size={14} aria-hidden="true" />
        <span>{words.line(event, author(event), me.value)}</span>
        <time title={fully(event.at)}>{time(event.at)}</time>
      </p>
      {event.text != null && event.text !== '' && <blockquote>{event.text}</blockquote>}
      {place?.startsWith('https://') === true ? (
        <a class="text-act" href={place} target="_blank" rel="noreferrer" title={words.listenHint}>
          {words.listen}
        </a>
      ) : (
        <span title={words.listenHint}>{words.listen}</span>
      )}
    </div>
  );
}

/** What was written here and the log does not show yet. */
function Pending({ id, shown }: { id: string; shown: readonly Item[] }): JSX.Element | null {
  const mine = orders.value.filter((order) => order.conversation === id && order.bubble !== null);
  const waiting = mine.filter((order) => !arrived(order, shown));
  if (waiting.length === 0) return null;
  return (
    <ol class="pending">
      {waiting.map((order) => (
        <li key={order.key} class={`item ${order.bubble === 'note' ? 'note' : 'message'}`}>
          <PendingBubble
            order={order}
            onBack={() => {
              drop(new Set([order.key]));
              putBack(id, textOf(order), order.bubble ?? 'message');
            }}
            onDiscard={() => drop(new Set([order.key]))}
          />
        </li>
      ))}
      <li>
        <Heard>{words.pending.asking}</Heard>
      </li>
    </ol>
  );
}

/** The stream may tell of it before its answer comes: then the log's bubble stands for it. */
function arrived(order: Order, shown: readonly Item[]): boolean {
  const text = textOf(order);
  return shown.some((item) => {
    if (item.kind === 'message') {
      if (order.reply !== null) return item.message.id === order.reply.message;
      const same = order.bubble === 'message' && item.message.direction === 'outbound' && item.message.by === me.value;
      return same && order.state === 'asking' && item.message.text === text && item.at >= order.at - 2_000_000;
    }
    if (item.kind !== 'note' || order.bubble !== 'note') return false;
    if (order.reply !== null) return Number(item.key) === order.reply.offset;
    return order.state === 'asking' && item.by === me.value && item.text === text && item.at >= order.at - 2_000_000;
  });
}

/** Asks for the place of what waits, while it waits and is looked at. */
function usePlaces(shown: readonly Item[]): void {
  const queued = shown.flatMap((item) => (item.kind === 'message' && item.message.sending?.status === 'queued' ? [item.message.id] : [])).slice(-5);
  const key = queued.join(' ');
  useEffect(() => {
    if (key === '') return undefined;
    let over = false;
    const look = async (): Promise<void> => {
      const found = await Promise.all(queued.map((id) => rest.message(id).catch(() => null)));
      if (over) return;
      const next = new Map<string, { place: number; estimate_ms?: number | null }>();
      for (const view of found) if (view?.sending?.queue != null) next.set(view.message, view.sending.queue);
      places.value = next;
    };
    // A text that leaves at once needs no place.
    const first = setTimeout(() => void look(), 700);
    const timer = setInterval(() => void look(), ASK_MS);
    return () => {
      over = true;
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [key]);
}

