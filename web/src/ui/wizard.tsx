// The first run, for admins: a name, a number, a text, and a missed call of one's own that proves it.
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
import { attempt } from './settings-parts';

/** The text that answers missed calls, unless the line has another. */
const TEXT = 'text-back';
const COOL_DOWN_S = 3_600;

interface Known {
  readonly business: string;
  readonly lines: readonly ChannelView[];
  readonly texts: Texts;
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
  const again = (): Promise<boolean> => attempt(async () => setKnown(await load()));
  useEffect(() => void again(), []);
  const first = known === null ? 0 : [known.business !== '', known.lines.length > 0, known.lines.some(isReady)].findIndex((done) => !done);
  const step = at ?? (first === -1 ? 3 : first);
  const next = async (): Promise<void> => {
    if (await again()) setAt(step + 1);
  };
  return (
    <Modal label={words.wizard.title} kind="settings wizard">
      <header class="modal-head">
        <h2>{words.wizard.title}</h2>
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
      <div class="modal-text">{known === null ? <p class="quiet">{words.loading}</p> : <Step step={step} known={known} next={next} />}</div>
    </Modal>
  );
}

function Step({ step, known, next }: { step: number; known: Known; next: () => Promise<void> }): JSX.Element {
  if (step === 0) return <Business known={known} next={next} />;
  if (step === 1) return <Line known={known} next={next} />;
  if (step === 2) return <Answer known={known} next={next} />;
  return <TestCall known={known} />;
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

function Business({ known, next }: { known: Known; next: () => Promise<void> }): JSX.Element {
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

function Line({ known, next }: { known: Known; next: () => Promise<void> }): JSX.Element {
  const line = known.lines[0];
  return line === undefined ? <NewLine next={next} /> : (
    <Fields act={next}>
      <h3>{readable(line.address)}</h3>
      <p class="quiet">{words.wizard.paste}</p>
      <Hooks line={line.channel} />
    </Fields>
  );
}

function NewLine({ next }: { next: () => Promise<void> }): JSX.Element {
  const [given, setGiven] = useState({ sid: '', secret: '', address: '' });
  const set = (part: Partial<typeof given>): void => setGiven((before) => ({ ...before, ...part }));
  const act = async (): Promise<void> => {
    // Ids of lines and accounts are unique over all businesses.
    const tenant = identity.peek()?.tenant ?? '';
    const [account, line] = [`${tenant}-account`, `${tenant}-line`];
    const made = await attempt(async () => {
      await rest.setAccount(account, given.sid.trim(), given.secret.trim());
      await rest.setChannel(line, { address: given.address.replaceAll(/[^+0-9]/g, ''), account, coverage: false, cool_down_s: COOL_DOWN_S });
    });
    if (made) await next();
  };
  return (
    <Fields act={act}>
      <p class="quiet">{words.wizard.accountHint}</p>
      <label for="wizard-sid">{words.wizard.sid}</label>
      <input id="wizard-sid" value={given.sid} required autocomplete="off" spellcheck={false} onInput={(event) => set({ sid: event.currentTarget.value })} />
      <label for="wizard-secret">{words.wizard.secret}</label>
      <input id="wizard-secret" type="password" value={given.secret} required autocomplete="off" onInput={(event) => set({ secret: event.currentTarget.value })} />
      <label for="wizard-number">{words.wizard.number}</label>
      <input id="wizard-number" type="tel" value={given.address} required placeholder="+1 415 555 0199" autocomplete="off" onInput={(event) => set({ address: event.currentTarget.value })} />
    </Fields>
  );
}

function Answer({ known, next }: { known: Known; next: () => Promise<void> }): JSX.Element {
  const line = known.lines[0];
  const used = line?.text_back ?? TEXT;
  const [text, setText] = useState(known.texts.rows.find((one) => one.template === used)?.text ?? words.wizard.suggestion);
  const act = async (): Promise<void> => {
    if (line === undefined) return;
    const { channel, limits: _limits, ...settings } = line;
    const done = await attempt(async () => {
      await rest.setTemplate(used, text.trim());
      await rest.setChannel(channel, { ...settings, coverage: true, text_back: used });
    });
    if (done) await next();
  };
  return (
    <Fields act={act}>
      <label for="wizard-text">{words.wizard.answer}</label>
      <textarea id="wizard-text" rows={3} maxLength={1_600} required value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <p class="quiet">{words.variables}</p>
      <p class="preview">{text.replaceAll('{business}', known.business)}</p>
    </Fields>
  );
}

/** Waits for a missed call that came after it began, and for what became of its text. */
function TestCall({ known }: { known: Known }): JSX.Element {
  const [before] = useState(() => new Map([...rows.peek().values()].map((row) => [row.conversation, row.last_inbound])));
  const came = [...rows.value.values()].find((row) => row.missed_call != null && row.last_inbound > (before.get(row.conversation) ?? 0));
  const answered = came?.last_message?.direction === 'outbound' ? came.last_message.status : null;
  const numbers = known.lines.map((line) => readable(line.address)).join(', ');
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
        {came === undefined ? words.wizard.waiting : words.wizard.came(words.who(came), answered === 'delivered' || answered === 'read' ? 'delivered' : answered === 'sent' ? 'sent' : 'open')}
      </p>
      {came !== undefined && (
        <button type="button" class="send" onClick={open}>
          {words.wizard.open}
        </button>
      )}
    </div>
  );
}
