// One message, and below it in words where it is.
import { signal, type ReadonlySignal } from '@preact/signals';
import { Check, CheckCheck, CircleAlert, CircleHelp, Clock, Hourglass, Paperclip, RotateCcw, Undo2, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { actions, mayWrite, me } from '../desk';
import { textOf, type Order } from '../net/outbox';
import type { Item, Message, Sending } from '../state/timeline';
import { fully, now, tick, time } from '../time';
import type { MediaRef } from '../types';
import { words } from '../words';
import { Heard, operatorName } from './parts';

type MessageItem = Extract<Item, { kind: 'message' }>;

interface Place {
  readonly place: number;
  readonly estimate_ms?: number | null;
}

interface BubbleProps {
  item: MessageItem;
  conversation: string;
  name: string;
  /** Place and time of texts that wait, by message. */
  places: ReadonlySignal<ReadonlyMap<string, Place>>;
}

export function Bubble({ item, conversation, name, places }: BubbleProps): JSX.Element {
  const { message, last } = item;
  const mine = message.direction === 'outbound';
  const send = message.sending;
  const place = send?.status === 'queued' ? (places.value.get(message.id) ?? null) : null;
  // What went as it should is told once, below the last of a group; everything else always.
  const usual = send === null || send.status === 'delivered' || send.status === 'read';
  const told = last || !usual;
  return (
    <article class={mine ? 'message-body out' : 'message-body in'} data-first={item.first ? '' : undefined} data-last={last ? '' : undefined}>
      <Heard>{mine ? author(message) : name}: </Heard>
      {message.media.length > 0 && <Media media={message.media} />}
      {(message.text !== null && message.text !== '') || message.media.length === 0 ? (
        <p class={message.text === null ? 'bubble gone' : 'bubble'} title={fully(message.at)} data-status={send?.status}>
          {message.text ?? words.erasedText}
        </p>
      ) : null}
      {told && (
        <footer class="state" data-status={send?.status ?? 'in'}>
          {mine && message.purpose !== null && <span>{author(message)} · </span>}
          {send === null ? <time>{time(message.at)}</time> : isHeld(send) ? <Held send={send} /> : <Where send={send} place={place} />}
          {send !== null && isHeld(send) && mayWrite.value && (
            <button type="button" class="text-act" title={`${words.undo} (z)`} onClick={() => actions.takeBack(conversation, message.id, message.text ?? '')}>
              <Undo2 size={13} aria-hidden="true" /> {words.undo}
            </button>
          )}
          {send !== null && !isHeld(send) && mayWrite.value && <After send={send} conversation={conversation} message={message.id} />}
        </footer>
      )}
    </article>
  );
}

function author(message: Message): string {
  if (message.purpose === 'text_back') return words.textBack;
  if (message.purpose === 'confirmation') return words.confirmation;
  return operatorName(message.by, me.value);
}

const ICONS = {
  queued: Clock,
  claimed: Clock,
  unknown: CircleHelp,
  sent: Check,
  delivered: CheckCheck,
  read: CheckCheck,
  failed: CircleAlert,
  canceled: Undo2,
  expired: CircleAlert,
} as const;

function Where({ send, place }: { send: Sending; place: Place | null }): JSX.Element {
  const Icon = ICONS[send.status];
  return (
    <span class="where">
      <Icon size={13} aria-hidden="true" />
      {words.sending(send, place)}
      {send.status === 'failed' && send.error !== null && <small> ({send.error.code})</small>}
    </span>
  );
}

/** Whether it can still be taken back for nothing. Read where it is shown, it is looked at again each moment. */
function isHeld(send: Sending): boolean {
  return send.status === 'queued' && send.heldUntil > 0 && tick.value < send.heldUntil;
}

function Held({ send }: { send: Sending }): JSX.Element {
  const seconds = Math.max(1, Math.ceil((send.heldUntil - tick.value) / 1_000_000));
  return (
    <span class="where">
      <Hourglass size={13} aria-hidden="true" />
      {words.leavesIn(seconds)}
    </span>
  );
}

/** What can be done about it. */
function After({ send, conversation, message }: { send: Sending; conversation: string; message: string }): JSX.Element | null {
  if (send.status === 'queued') {
    return (
      <button type="button" class="text-act" onClick={() => actions.cancel(conversation, message)}>
        <Undo2 size={13} aria-hidden="true" /> {words.cancel}
      </button>
    );
  }
  // While it is valid the engine asks the carrier's list by itself; then only a person can say.
  if (send.status === 'unknown' && now.value > send.validUntil) {
    return (
      <>
        <button type="button" class="text-act" onClick={() => actions.retry(conversation, message)}>
          <RotateCcw size={13} aria-hidden="true" /> {words.sendAgain}
        </button>
        <button type="button" class="text-act" onClick={() => actions.cancel(conversation, message)}>
          <X size={13} aria-hidden="true" /> {words.giveUp}
        </button>
      </>
    );
  }
  if (send.status !== 'failed' && send.status !== 'expired') return null;
  return (
    <button type="button" class="text-act" onClick={() => actions.retry(conversation, message)}>
      <RotateCcw size={13} aria-hidden="true" /> {words.retry}
    </button>
  );
}

/** Written here, and not in the log yet. */
export function PendingBubble({ order, onBack, onDiscard }: { order: Order; onBack: () => void; onDiscard: () => void }): JSX.Element {
  const text = textOf(order);
  const note = order.bubble === 'note';
  const state = order.state === 'refused' ? null : (note ? words.pendingNote : words.pending)[order.state];
  return (
    <article class={note ? 'note held' : 'message-body out'} data-last="">
      <p class={note ? '' : 'bubble'} data-status={order.state === 'refused' ? 'failed' : 'pending'}>
        {text}
      </p>
      <footer class="state" data-status={order.state === 'refused' ? 'failed' : order.state}>
        {order.state === 'refused' ? <CircleAlert size={13} aria-hidden="true" /> : <Clock size={13} aria-hidden="true" />}
        <span>{state ?? (order.problem === null ? '' : words.notSent(order.problem))}</span>
        {order.state === 'refused' && (
          <>
            <button type="button" class="text-act" onClick={onBack}>
              {words.putBack}
            </button>
            <button type="button" class="text-act" onClick={onDiscard}>
              {words.discard}
            </button>
          </>
        )}
      </footer>
    </article>
  );
}

const viewed = signal<string | null>(null);

function Media({ media }: { media: readonly MediaRef[] }): JSX.Element {
  return (
    <div class="media">
      {media.map((one) => (one.content_type.startsWith('image/') ? <Picture key={one.url} media={one} /> : <Attachment key={one.url} media={one} />))}
    </div>
  );
}

function Attachment({ media }: { media: MediaRef }): JSX.Element {
  return (
    <span class="attachment">
      <Paperclip size={14} aria-hidden="true" /> {words.attachment} <small>{media.content_type}</small>
    </span>
  );
}

function Picture({ media }: { media: MediaRef }): JSX.Element {
  const [gone, setGone] = useState(false);
  if (gone) return <span class="attachment">{words.pictureGone}</span>;
  return (
    <button type="button" class="picture" onClick={() => (viewed.value = media.url)} title={words.pictureAlt}>
      <img src={media.url} alt={words.pictureAlt} loading="lazy" referrerpolicy="no-referrer" onError={() => setGone(true)} />
    </button>
  );
}

/** A picture, as large as the screen allows. */
export function Viewer(): JSX.Element | null {
  const place = useRef<HTMLDialogElement>(null);
  const url = viewed.value;
  useEffect(() => {
    if (url !== null) place.current?.showModal();
  }, [url]);
  if (url === null) return null;
  const close = (): void => {
    viewed.value = null;
  };
  return (
    <dialog class="viewer" ref={place} onClose={close} aria-label={words.pictureAlt} onClick={() => place.current?.close()}>
      <button type="button" class="act" aria-label={words.closePicture} title={words.closePicture} onClick={() => place.current?.close()}>
        <X size={20} aria-hidden="true" />
      </button>
      <img src={url} alt={words.pictureAlt} referrerpolicy="no-referrer" />
    </dialog>
  );
}
