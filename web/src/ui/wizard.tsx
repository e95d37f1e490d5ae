// The first run, for admins: a name, a number, a text, and a missed call of one's own that proves it. Another line goes the
// same way, from its number on.
import { Check, Phone, X } from 'lucide-preact';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { rows } from '../desk';
import { rest } from '../net/rest';
import { identity } from '../net/session';
import { readable } from '../phone';
import { go } from '../route';
import type { ChannelView, Texts } from '../types';
import { words } from '../words';
import { Modal } from './modal';
import { Act } from './parts';
import { dialog } from './screen';
import { Hooks } from './settings-lines';
import { attempt, setsUp } from './settings-parts';

/** The text that answers missed calls, unless the line has another. */
const TEXT = 'text-back';
const COOL_DOWN_S = 3_600;

interface Known {
  readonly business: string;
  readonly lines: readonly ChannelView[];
  readonly texts: Texts;
}

interface StepProps {
  readonly known: Known;
  /** The line that is set up; none: there is none yet. */
  readonly line: ChannelView | undefined;
  /** To the next step; or to what is to be done for a line that was just made. */
  readonly next: (made?: string) => Promise<void>;
}

async function load(): Promise<Known> {
  const [tenant, { rows: lines }, texts] = await Promise.all([rest.tenant(), rest.channels(), rest.texts()]);
  return { business: tenant.business_name, lines, texts };
}

/** A line answers missed calls only with a text that it has. */
function isReady(line: ChannelView): boolean {
  return line.coverage && line.text_back != null;
}

export function Wizard(): JSX.Element {
  const [known, setKnown] = useState<Known | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [another] = useState(() => setsUp.peek() === 'line');
  const [made, setMade] = useState<string | null>(null);
  const again = (): Promise<boolean> => attempt(async () => setKnown(await load()));
  useEffect(() => {
    void again();
    return () => {
      setsUp.value = 'business';
    };
  }, []);
  const line = another || made !== null ? known?.lines.find((one) => one.channel === made) : known?.lines[0];
  const title = another ? words.wizard.another : words.wizard.title;
  const first = another ? 1 : known === null ? 0 : [known.business !== '', known.lines.length > 0, known.lines.some(isReady)].findIndex((done) => !done);
  const step = at ?? (first === -1 ? 3 : first);
  const next = async (channel?: string): Promise<void> => {
    if (channel !== undefined) setMade(channel);
    // A line that was just made shows what to paste at the carrier.
    if (await again()) setAt(channel === undefined ? step + 1 : step);
  };
  return (
    <Modal label={title} kind="settings wizard">
      <header class="modal-head">
        <h2>{title}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <ol class="steps">
        {words.wizard.steps.map((name, index) => (
          <li key={name}>
            <button type="button" aria-current={index === step ? 'step' : undefined} disabled={index > step} onClick={() => setAt(index)}>
              {index < step ? <Check size={14} aria-hidden="true" /> : `${index + 1}.`} {name}
            </button>
          </li>
        ))}
      </ol>
      <div class="modal-text">{known === null ? <p class="quiet">{words.loading}</p> : <Step step={step} only={another} known={known} line={line} next={next} />}</div>
    </Modal>
  );
}

function Step({ step, only, ...props }: StepProps & { step: number; only: boolean }): JSX.Element {
  if (step === 0) return <Business {...props} />;
  if (step === 1) return <Line {...props} />;
  if (step === 2) return <Answer {...props} />;
  return <TestCall lines={only && props.line !== undefined ? [props.line] : props.known.lines} />;
}

function Fields({ act, children }: { act: () => Promise<void>; children: ComponentChildren }): JSX.Element {
  const submit = (event: Event): void => {
    event.preventDefault();
    void act();
  };
  return (
    <form class="fields" onSubmit={submit}>
      {children}
      <button type="submit" class="send">
        {words.wizard.next}
      </button>
    </form>
  );
}

function Business({ known, next }: StepProps): JSX.Element {
  const [name, setName] = useState(known.business);
  const act = async (): Promise<void> => {
    if (await attempt(() => rest.setTenant(name.trim()))) await next();
  };
  return (
    <Fields act={act}>
      <label for="wizard-business">{words.wizard.business}</label>
      <input id="wizard-business" value={name} maxLength={100} required autocomplete="organization" onInput={(event) => setName(event.currentTarget.value)} />
      <p class="quiet">{words.wizard.businessHint}</p>
    </Fields>
  );
}

function Line({ known, line, next }: StepProps): JSX.Element {
  return line === undefined ? <NewLine known={known} next={next} /> : (
    <Fields act={() => next()}>
      <h3>{readable(line.address)}</h3>
      <p class="quiet">{words.wizard.paste}</p>
      <Hooks line={line.channel} />
    </Fields>
  );
}

/** The first of the ids that is not taken. Ids of lines and accounts are unique over all businesses: they begin with ours. */
function freeId(kind: string, taken: readonly string[]): string {
  const base = `${identity.peek()?.tenant ?? ''}-${kind}`;
  const ids = [base, ...Array.from(taken, (_, at) => `${base}-${at + 2}`)];
  return ids.find((id) => !taken.includes(id)) ?? base;
}

const OTHER = '';

function NewLine({ known, next }: Pick<StepProps, 'known' | 'next'>): JSX.Element {
  const accounts = [...new Set(known.lines.map((line) => line.account))];
  const [given, setGiven] = useState({ account: accounts[0] ?? OTHER, sid: '', secret: '', address: '' });
  const set = (part: Partial<typeof given>): void => setGiven((before) => ({ ...before, ...part }));
  const act = async (): Promise<void> => {
    const account = given.account === OTHER ? freeId('account', accounts) : given.account;
    const line = freeId('line', known.lines.map((one) => one.channel));
    const made = await attempt(async () => {
      if (given.account === OTHER) await rest.setAccount(account, given.sid.trim(), given.secret.trim());
      await rest.setChannel(line, { address: given.address.replaceAll(/[^+0-9]/g, ''), account, coverage: false, cool_down_s: COOL_DOWN_S });
    });
    if (made) await next(line);
  };
  const numbersOf = (account: string): string => known.lines.filter((line) => line.account === account).map((line) => readable(line.address)).join(', ');
  return (
    <Fields act={act}>
      {accounts.length > 0 && (
        <>
          <label for="wizard-account">{words.wizard.account}</label>
          <select id="wizard-account" value={given.account} onChange={(event) => set({ account: event.currentTarget.value })}>
            {accounts.map((account) => (
              <option key={account} value={account}>
                {words.wizard.accountOf(account, numbersOf(account))}
              </option>
            ))}
            <option value={OTHER}>{words.wizard.otherAccount}</option>
          </select>
        </>
      )}
      {given.account === OTHER && (
        <>
          <p class="quiet">{words.wizard.accountHint}</p>
          <label for="wizard-sid">{words.wizard.sid}</label>
          <input id="wizard-sid" value={given.sid} required autocomplete="off" spellcheck={false} onInput={(event) => set({ sid: event.currentTarget.value })} />
          <label for="wizard-secret">{words.wizard.secret}</label>
          <input id="wizard-secret" type="password" value={given.secret} required autocomplete="off" onInput={(event) => set({ secret: event.currentTarget.value })} />
        </>
      )}
      <label for="wizard-number">{words.wizard.number}</label>
      <input id="wizard-number" type="tel" value={given.address} required placeholder="+1 415 555 0199" autocomplete="off" onInput={(event) => set({ address: event.currentTarget.value })} />
    </Fields>
  );
}

/** The template that a line's text goes into: its own; else the one that the others use, unless this one says something else. */
function templateFor(line: ChannelView, text: string, known: Known): string {
  if (line.text_back != null) return line.text_back;
  const names = known.texts.rows.map((one) => one.template);
  const used = known.lines.some((other) => other.channel !== line.channel && other.text_back === TEXT);
  const same = known.texts.rows.some((one) => one.template === TEXT && one.text === text);
  if (!used || same) return TEXT;
  return Array.from(names, (_, at) => `${TEXT}-${at + 2}`).find((name) => !names.includes(name)) ?? TEXT;
}

function Answer({ known, line, next }: StepProps): JSX.Element {
  const [text, setText] = useState(known.texts.rows.find((one) => one.template === (line?.text_back ?? TEXT))?.text ?? words.wizard.suggestion);
  const [answers, setAnswers] = useState(true);
  const act = async (): Promise<void> => {
    if (line === undefined) return;
    const { channel, limits: _limits, ...settings } = line;
    const template = templateFor(line, text.trim(), known);
    const done = await attempt(async () => {
      if (answers) await rest.setTemplate(template, text.trim());
      await rest.setChannel(channel, answers ? { ...settings, coverage: true, text_back: template } : { ...settings, coverage: false });
    });
    if (done) await next();
  };
  return (
    <Fields act={act}>
      <label class="check">
        <input type="checkbox" checked={answers} onChange={(event) => setAnswers(event.currentTarget.checked)} />
        <span>
          {words.coverage}
          <small>{words.wizard.coverageHint}</small>
        </span>
      </label>
      {answers && (
        <>
          <label for="wizard-text">{words.wizard.answer}</label>
          <textarea id="wizard-text" rows={3} maxLength={1_600} required value={text} onInput={(event) => setText(event.currentTarget.value)} />
          <p class="quiet">{words.variables}</p>
          <p class="preview">{text.replaceAll('{business}', known.business)}</p>
        </>
      )}
    </Fields>
  );
}

/** Waits for a missed call that came after it began, and for what became of its text. */
function TestCall({ lines }: { lines: readonly ChannelView[] }): JSX.Element {
  const [before] = useState(() => new Map([...rows.peek().values()].map((row) => [row.conversation, row.last_inbound])));
  const came = [...rows.value.values()].find((row) => row.missed_call != null && lines.some((line) => line.channel === row.channel) && row.last_inbound > (before.get(row.conversation) ?? 0));
  const answered = came?.last_message?.direction === 'outbound' ? came.last_message.status : null;
  const covered = lines.some(isReady);
  const fate = answered === 'delivered' || answered === 'read' ? 'delivered' : answered === 'sent' ? 'sent' : covered ? 'open' : 'none';
  const numbers = lines.map((line) => readable(line.address)).join(', ');
  const phone = identity.value?.phone ?? null;
  const open = (): void => {
    dialog.value = null;
    if (came !== undefined) setTimeout(() => go({ view: 'all', conversation: came.conversation }), 0);
  };
  return (
    <div class="test-call">
      <p class="test-number">
        <Phone size={20} aria-hidden="true" /> {words.wizard.callNow(numbers)}
      </p>
      {phone !== null && (
        <p>
          <a class="text-act" href={phone} target="_blank" rel="noreferrer">
            {words.wizard.phone}
          </a>
        </p>
      )}
      <p role="status" class={came === undefined ? 'quiet' : 'test-came'}>
        {came === undefined ? words.wizard.waiting : words.wizard.came(words.who(came), fate)}
      </p>
      {came !== undefined && (
        <button type="button" class="send" onClick={open}>
          {words.wizard.open}
        </button>
      )}
    </div>
  );
}
