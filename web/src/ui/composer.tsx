// Where one writes: to the contact, or a note. What is typed is kept at once; Enter sends; nothing waits for the network.
import { MessageSquareText, SendHorizontal, StickyNote } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { actions, me, timeline, typing } from '../desk';
import { cheaper, count } from '../segments';
import { answeredSince } from '../state/timeline';
import type { Row } from '../types';
import { words } from '../words';
import { changed, draft, keepDraft } from './drafts';
import { CannedList, useCanned } from './canned';
import { holdSeconds, mode, type Mode } from './screen';

const MESSAGE_MAX = 1_600;
const NOTE_MAX = 10_000;
const TYPING_EVERY_MS = 3_000;

export function Composer({ row }: { row: Row }): JSX.Element {
  const id = row.conversation;
  const kind = mode.value;
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => draft(id, kind));
  const told = useRef(0);
  const outside = changed.value;
  useLayoutEffect(() => setText(draft(id, kind)), [id, kind, outside]);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);
  useEffect(() => () => typing(id, false), [id]);

  // Said in both modes: whoever writes a note is about to switch.
  const warning = words.blocked(row);
  const why = kind === 'message' ? warning : null;
  const length = [...text].length;
  const most = kind === 'message' ? MESSAGE_MAX : NOTE_MAX;
  const able = text.trim() !== '' && length <= most && why === null;

  const write = (next: string): void => {
    setText(next);
    keepDraft(id, kind, next);
    const now = Date.now();
    if (kind === 'message' && next !== '' && now - told.current > TYPING_EVERY_MS) {
      told.current = now;
      typing(id, true);
    }
  };
  const send = (): void => {
    if (!able) return;
    if (kind === 'message') actions.send(id, text.trim(), holdSeconds.peek());
    else actions.note(id, text.trim());
    write('');
    told.current = 0;
    typing(id, false);
    document.querySelector('.scroll')?.scrollTo({ top: 0 });
    field.current?.focus();
  };
  const canned = useCanned(row, kind === 'message' && why === null ? text : '', write);
  const press = (event: KeyboardEvent): void => {
    if (canned.press(event)) return;
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class={`composer ${kind}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Kinds />
      {warning !== null && (
        <p class="blocked" id="blocked">
          {warning}
        </p>
      )}
      {kind === 'message' && <Overtaken row={row} writing={text !== ''} />}
      <CannedList canned={canned} />
      <textarea
        id="write"
        ref={field}
        rows={1}
        value={text}
        disabled={why !== null}
        aria-label={kind === 'message' ? words.replyTo(words.who(row)) : words.addNote}
        aria-describedby={warning === null ? 'cost' : 'blocked'}
        placeholder={kind === 'message' ? words.replyPlaceholder : words.notePlaceholder}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={press}
        {...canned.field}
      />
      <div class="composer-end">
        <Cost text={text} kind={kind} over={length - most} onCheaper={write} />
        <button type="submit" class="send" aria-disabled={!able} title={`${kind === 'message' ? words.send : words.addNote} (Enter)`}>
          <SendHorizontal size={16} aria-hidden="true" />
          {kind === 'message' ? words.send : words.addNote}
        </button>
      </div>
    </form>
  );
}

/** Somebody else answered while this was being written: said until it is sent or left. */
function Overtaken({ row, writing }: { row: Row; writing: boolean }): JSX.Element {
  const begun = useRef<number | null>(null);
  if (!writing) begun.current = null;
  else begun.current ??= row.last;
  const by = begun.current === null ? null : answeredSince(timeline.value?.events ?? [], begun.current, me.value);
  return (
    <p class="overtaken" role="status">
      {by === null ? '' : words.overtaken(by)}
    </p>
  );
}

function Kinds(): JSX.Element {
  const one = (kind: Mode, name: string, key: string, icon: JSX.Element): JSX.Element => (
    <button type="button" aria-pressed={mode.value === kind} title={`${name} (${key})`} aria-keyshortcuts={key} onClick={() => (mode.value = kind)}>
      {icon} {name}
    </button>
  );
  return (
    <div class="kinds" role="group" aria-label={words.conversation}>
      {one('message', words.reply, 'r', <MessageSquareText size={14} aria-hidden="true" />)}
      {one('note', words.note, 'n', <StickyNote size={14} aria-hidden="true" />)}
    </div>
  );
}

/** Segments while typing, and a hint when one character doubles the price. */
function Cost({ text, kind, over, onCheaper }: { text: string; kind: Mode; over: number; onCheaper: (text: string) => void }): JSX.Element {
  if (over > 0) {
    return (
      <p class="cost bad" id="cost" role="alert">
        {words.tooLong(over)}
      </p>
    );
  }
  if (kind === 'note' || text === '') return <p class="cost" id="cost" />;
  const { segments, left, foreign, encoding } = count(text.trim());
  const plain = cheaper(text);
  return (
    <p class="cost" id="cost">
      <span class="nowrap">{words.segments(segments, left)}</span>
      {encoding === 'ucs2' && <span class="cost-why">{words.costly(foreign.slice(0, 3).join(' '))}</span>}
      {plain !== null && (
        <button type="button" class="text-act" onClick={() => onCheaper(plain)}>
          {words.makeCheaper}
        </button>
      )}
    </p>
  );
}
