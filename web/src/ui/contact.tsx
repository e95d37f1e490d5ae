// Who the contact is, whether they may be texted, and what the next person should know.
import { signal } from '@preact/signals';
import { Ban, Phone, Plus, ShieldCheck, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { actions, current, mayWrite, me } from '../desk';
import { awayOnes } from '../mine';
import { rest } from '../net/rest';
import { readable } from '../phone';
import { online } from '../presence';
import { fully, short } from '../time';
import type { ContactView, Row } from '../types';
import { words } from '../words';
import { ConsentHistory } from './consent-history';
import { Act, Face, operatorName } from './parts';
import { drawerOpen } from './screen';

const loaded = signal<ContactView | null>(null);

export function Contact(): JSX.Element | null {
  const row = current.value;
  const id = row?.conversation ?? null;
  const last = row?.last ?? 0;
  useEffect(() => {
    if (id === null) return;
    rest.contact(id).then(
      (view) => (loaded.value = view),
      () => undefined,
    );
    // What others change in the notes arrives with the row's next event.
  }, [id, last]);
  if (row === null) return null;
  const view = loaded.value?.conversation === row.conversation ? loaded.value : null;
  const number = row.address != null && row.address !== 'anonymous' ? row.address : null;
  return (
    <aside class="contact" aria-label={words.contact} data-drawer={drawerOpen.value ? '' : undefined}>
      <Act label={words.closeDetails} keys="i" class="drawer-close" onClick={() => (drawerOpen.value = false)}>
        <X size={18} aria-hidden="true" />
      </Act>
      <div class="contact-top">
        <Face row={row} large />
        <Name key={row.conversation} row={row} />
        {number !== null && (
          <a class="contact-number" href={`tel:${number}`} title={words.call}>
            <Phone size={14} aria-hidden="true" /> {readable(number)}
          </a>
        )}
      </div>
      <Consent row={row} />
      <Blocking row={row} />
      <Assigned row={row} />
      <TagEditor row={row} />
      <Notes key={`notes-${row.conversation}`} row={row} view={view} />
      <dl class="facts">
        {view !== null && (
          <>
            <dt>{words.firstSeen}</dt>
            <dd title={fully(view.created)}>{short(view.created)}</dd>
          </>
        )}
        <dt>{words.lastSeen}</dt>
        <dd title={fully(row.activity)}>{short(row.activity)}</dd>
        {row.channel != null && (
          <>
            <dt>{words.line_}</dt>
            <dd>{row.channel}</dd>
          </>
        )}
        <dt>{words.episode}</dt>
        <dd>{words.times(row.episode)}</dd>
      </dl>
    </aside>
  );
}

function Name({ row }: { row: Row }): JSX.Element {
  const [text, setText] = useState(row.name ?? '');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== field.current) setText(row.name ?? '');
  }, [row.name]);
  const save = (): void => {
    if (text.trim() !== (row.name ?? '') && text.trim() !== '') actions.edit(row, { name: text.trim() });
  };
  return (
    <input
      class="contact-name"
      ref={field}
      aria-label={words.nameField}
      placeholder={words.namePlaceholder}
      value={text}
      maxLength={200}
      disabled={!mayWrite.value || row.erased === true}
      autocomplete="off"
      onInput={(event) => setText(event.currentTarget.value)}
      onBlur={save}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}

function Consent({ row }: { row: Row }): JSX.Element {
  const out = row.consent === 'opted_out';
  return (
    <section class="panel">
      <h3>{words.consentTitle}</h3>
      <p class={out ? 'consent bad' : 'consent'}>
        {out ? <Ban size={16} aria-hidden="true" /> : <ShieldCheck size={16} aria-hidden="true" />}
        <span>{words.consent(row)}</span>
      </p>
      {out && <p class="hint">{words.blocked(row)}</p>}
      <ConsentHistory key={row.conversation} row={row} />
      {mayWrite.value && !out && <OptOut key={`out-${row.conversation}`} row={row} />}
      {mayWrite.value && out && row.consent_source === 'operator' && (
        <button type="button" class="quiet-act" onClick={() => actions.optIn(row)}>
          {words.optIn}
        </button>
      )}
    </section>
  );
}

/** Why is asked for, not demanded: who stands at the counter wants it done. The field is there before the next key can arrive:
 * whoever types on right after opening types into it. Given up, the focus is where it was. */
function OptOut({ row }: { row: Row }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useLayoutEffect(() => {
    if (open) field.current?.focus();
    else if (wasOpen.current) opener.current?.focus();
    wasOpen.current = open;
  }, [open]);
  if (!open) {
    return (
      <button type="button" class="quiet-act" ref={opener} title={words.optOutHint} onClick={() => setOpen(true)}>
        {words.optOut}
      </button>
    );
  }
  const done = (event: Event): void => {
    event.preventDefault();
    setOpen(false);
    actions.optOut(row, reason.trim());
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    setOpen(false);
  };
  return (
    <form class="opt-out" onSubmit={done} onKeyDown={press}>
      <label>
        {words.optOutWhy}
        <input ref={field} value={reason} maxLength={1_600} placeholder={words.optOutExample} autocomplete="off" onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <p class="hint">{words.optOutHint}</p>
      <div class="acts">
        <button type="submit" class="quiet-act">
          {words.optOut}
        </button>
        <button type="button" class="quiet-act" onClick={() => setOpen(false)}>
          {words.abort}
        </button>
      </div>
    </form>
  );
}

function Blocking({ row }: { row: Row }): JSX.Element | null {
  if (!mayWrite.value) return null;
  return (
    <section class="panel">
      <h3>{words.blockTitle}</h3>
      {row.blocked == null ? (
        <div class="acts">
          <button type="button" class="quiet-act" title={words.blockHint} onClick={() => actions.block(row, 'unwanted')}>
            {words.block}
          </button>
          <button type="button" class="quiet-act" title={words.blockHint} onClick={() => actions.block(row, 'spam')}>
            {words.markSpam}
          </button>
        </div>
      ) : (
        <>
          <p class="consent bad">
            <Ban size={16} aria-hidden="true" />
            <span>{words.blockedAs[row.blocked]}</span>
          </p>
          <p class="hint">{words.blockHint}</p>
          <button type="button" class="quiet-act" onClick={() => actions.unblock(row)}>
            {words.unblock}
          </button>
        </>
      )}
    </section>
  );
}

function Assigned({ row }: { row: Row }): JSX.Element {
  const here = [...new Set([me.value, ...online()])];
  const gone = [...new Set([...awayOnes.value, ...(row.assigned == null ? [] : [row.assigned])])].filter((one) => !here.includes(one));
  const choice = (operator: string): JSX.Element => (
    <option key={operator} value={operator}>
      {awayOnes.value.has(operator) ? words.isAway(operatorName(operator, me.value)) : operatorName(operator, me.value)}
    </option>
  );
  return (
    <section class="panel">
      <h3 id="assigned">{words.assign}</h3>
      <select
        aria-labelledby="assigned"
        value={row.assigned ?? ''}
        disabled={!mayWrite.value}
        onChange={(event) => actions.assign(row, event.currentTarget.value === '' ? null : event.currentTarget.value)}
      >
        <option value="">{words.nobody}</option>
        <optgroup label={words.hereNow}>{here.map(choice)}</optgroup>
        {gone.length > 0 && <optgroup label={words.notHere}>{gone.map(choice)}</optgroup>}
      </select>
    </section>
  );
}

/** As the engine takes them: letters, digits and a few signs. */
function asTag(text: string): string {
  return text.trim().toLowerCase().replaceAll(/\s+/g, '-').replaceAll(/[^\p{L}\p{N}._@-]/gu, '').slice(0, 64);
}

function TagEditor({ row }: { row: Row }): JSX.Element {
  const [text, setText] = useState('');
  const add = (event: Event): void => {
    event.preventDefault();
    const tag = asTag(text);
    if (tag !== '' && !row.tags.includes(tag)) actions.tag(row, [tag], []);
    setText('');
  };
  return (
    <section class="panel">
      <h3>{words.tags}</h3>
      <ul class="tag-list">
        {row.tags.map((tag) => (
          <li key={tag} class="tag">
            {tag}
            {mayWrite.value && (
              <button type="button" aria-label={words.removeTag(tag)} title={words.removeTag(tag)} onClick={() => actions.tag(row, [], [tag])}>
                <X size={12} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {mayWrite.value && (
        <form class="tag-add" onSubmit={add}>
          <input id="tag" value={text} aria-label={words.addTag} placeholder={words.addTag} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
          <Act label={words.addTag} keys="t" onClick={() => add(new Event('submit'))}>
            <Plus size={16} aria-hidden="true" />
          </Act>
        </form>
      )}
    </section>
  );
}

function Notes({ row, view }: { row: Row; view: ContactView | null }): JSX.Element {
  const known = view?.notes ?? '';
  const [text, setText] = useState<string | null>(null);
  const save = (): void => {
    if (text !== null && text !== known) actions.edit(row, { notes: text });
    setText(null);
  };
  return (
    <section class="panel">
      <h3 id="notes">{words.notes}</h3>
      <textarea
        aria-labelledby="notes"
        rows={3}
        placeholder={words.notesPlaceholder}
        value={text ?? known}
        maxLength={10_000}
        disabled={!mayWrite.value || view === null}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={save}
      />
    </section>
  );
}
