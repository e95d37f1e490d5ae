// A text to a number: joins the conversation that the number has; says why it may be texted, or asks.
import { X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, rest } from '../net/rest';
import { keep, kept } from '../net/keep';
import { identity } from '../net/session';
import { go } from '../route';
import { count } from '../segments';
import type { Row } from '../types';
import { words } from '../words';
import { Modal } from './modal';
import { Act, Face } from './parts';
import { dialog, holdSeconds } from './screen';

/** As people write numbers here, in E.164; none: it is not a whole number yet. Without a country it is of the line's. */
export function asNumber(text: string): string | null {
  const digits = text.replace(/[^\d+]/g, '');
  if (/^\+[1-9]\d{6,14}$/.test(digits)) return digits;
  if (/^1?[2-9]\d{9}$/.test(digits)) return `+${digits.length === 10 ? '1' : ''}${digits}`;
  return null;
}

type Found = { number: string; row: Row | null };
const BASES = ['phone', 'in_person', 'paper', 'web', 'email', 'other'] as const;
type Basis = (typeof BASES)[number];

/** What was typed is kept until it is sent. */
const draftName = (): string => `new.${identity.peek()?.tenant ?? ''}.${identity.peek()?.operator ?? ''}`;
interface Draft {
  readonly to: string;
  readonly text: string;
}

function draft(): Draft {
  const there = kept(draftName());
  if (there === null || typeof there !== 'object') return { to: '', text: '' };
  const { to, text } = there as Partial<Draft>;
  return { to: typeof to === 'string' ? to : '', text: typeof text === 'string' ? text : '' };
}

export function NewMessage(): JSX.Element {
  const [{ to, text }, setDraft] = useState(draft);
  const [found, setFound] = useState<Found | null>(null);
  const [basis, setBasis] = useState<Basis | ''>('');
  const [said, setSaid] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // The same key as long as the same is asked: whoever presses twice sends once.
  const key = useRef({ of: '', key: '' });
  const number = asNumber(to);
  const change = (next: Partial<Draft>): void => {
    const whole = { to, text, ...next };
    keep(draftName(), whole.to === '' && whole.text === '' ? null : whole);
    setDraft(whole);
    setWrong(null);
  };
  useEffect(() => {
    setFound(null);
    if (number === null) return undefined;
    let over = false;
    rest.search(number).then(
      (page) => !over && setFound({ number, row: page.contact ?? null }),
      () => !over && setWrong(words.cannotReach),
    );
    return () => {
      over = true;
    };
  }, [number]);

  const row = found?.row ?? null;
  const blocked = row === null ? null : words.blocked(row);
  const stranger = found !== null && row === null;
  const able = found !== null && blocked === null && text.trim() !== '' && !busy && (!stranger || (basis !== '' && said.trim() !== ''));
  const send = async (): Promise<void> => {
    if (!able) return;
    const body = {
      to: found.number,
      text: text.trim(),
      ...(holdSeconds.peek() > 0 && { hold_s: holdSeconds.peek() }),
      ...(stranger && { basis: { how: basis, words: said.trim() } }),
    };
    const of = JSON.stringify(body);
    if (key.current.of !== of) key.current = { of, key: crypto.randomUUID() };
    setBusy(true);
    try {
      const reply = await rest.command('/v1/messages', body, key.current.key);
      keep(draftName(), null);
      dialog.value = null;
      if (reply.conversation != null) go({ view: 'all', conversation: reply.conversation });
    } catch (error) {
      setWrong(error instanceof Refused ? words.notSent(error.problem) : words.cannotReach);
      setBusy(false);
    }
  };

  const { segments, left } = count(text.trim());
  return (
    <Modal label={words.newMessage} kind="new">
      <header class="modal-head">
        <h2>{words.newMessage}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <form
        class="modal-text fields"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label for="to">{words.toNumber}</label>
        <input id="to" type="tel" autocomplete="off" autofocus value={to} placeholder="(202) 555-0147" onInput={(event) => change({ to: event.currentTarget.value })} />
        <FoundAs row={row} blocked={blocked} stranger={stranger} />
        {stranger && (
          <>
            <label for="basis">{words.basis}</label>
            <select id="basis" value={basis} onChange={(event) => setBasis(event.currentTarget.value as Basis | '')}>
              <option value="">{words.basisChoose}</option>
              {BASES.map((one) => (
                <option key={one} value={one}>
                  {words.bases[one]}
                </option>
              ))}
            </select>
            <label for="said">{words.basisWords}</label>
            <input id="said" value={said} maxLength={1600} placeholder={words.basisPlaceholder} onInput={(event) => setSaid(event.currentTarget.value)} />
          </>
        )}
        <label for="new-text">{words.theText}</label>
        <textarea id="new-text" rows={3} value={text} maxLength={1600} onInput={(event) => change({ text: event.currentTarget.value })} />
        <div class="composer-end">
          <p class="cost">{text.trim() === '' ? '' : words.segments(segments, left)}</p>
          <button type="submit" class="send" aria-disabled={!able}>
            {words.send}
          </button>
        </div>
        {wrong !== null && (
          <p class="bad" role="alert">
            {wrong}
          </p>
        )}
      </form>
    </Modal>
  );
}

/** Whose number it is, and why it may be texted or not. */
function FoundAs({ row, blocked, stranger }: { row: Row | null; blocked: string | null; stranger: boolean }): JSX.Element {
  return (
    <div role="status" class="found">
      {row !== null && (
        <p>
          <Face row={row} />
          <span>
            {words.joins(words.who(row))}
            <small>{words.consent(row)}</small>
          </span>
        </p>
      )}
      {blocked !== null && <p class="bad">{blocked}</p>}
      {stranger && <p class="hint">{words.neverWrote}</p>}
    </div>
  );
}
