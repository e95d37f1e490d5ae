// Texts that rules send and that operators put in with `/`.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { rest } from '../net/rest';
import { count } from '../segments';
import type { Texts } from '../types';
import { words } from '../words';
import { filled } from './canned';
import { attempt, useLoaded } from './settings-parts';

export function TextsSettings(): JSX.Element {
  const { value, again } = useLoaded(rest.texts);
  const [edited, setEdited] = useState<{ id: string; text: string; isNew: boolean } | null>(null);
  if (value === null) return <p class="quiet">{words.loading}</p>;
  if (edited !== null) {
    const done = (): void => {
      setEdited(null);
      again();
    };
    return <Edit {...edited} known={value} onDone={done} />;
  }
  return (
    <>
      <p class="quiet">{words.textsHint}</p>
      <ul class="table-list">
        {value.rows.map((one) => (
          <li key={one.template}>
            <span class="table-main">
              {one.template}
              <small>{filled(one.text, null, value.business_name)}</small>
            </span>
            <button type="button" class="text-act" aria-label={`${words.edit}: ${one.template}`} onClick={() => setEdited({ id: one.template, text: one.text, isNew: false })}>
              {words.edit}
            </button>
            <button type="button" class="text-act" aria-label={`${words.remove}: ${one.template}`} onClick={() => void attempt(() => rest.removeTemplate(one.template)).then(again)}>
              {words.remove}
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="plain" onClick={() => setEdited({ id: '', text: '', isNew: true })}>
        {words.addText}
      </button>
    </>
  );
}

function Edit({ id, text, isNew, known, onDone }: { id: string; text: string; isNew: boolean; known: Texts; onDone: () => void }): JSX.Element {
  const [name, setName] = useState(id);
  const [said, setSaid] = useState(text);
  const reads = filled(said, null, known.business_name);
  const { segments, left } = count(reads);
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(() => rest.setTemplate(name, said)).then((done) => done && onDone());
      }}
    >
      <label for="text-name">{words.textName}</label>
      <input id="text-name" required readOnly={!isNew} pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*" maxLength={64} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <label for="text-text">{words.theText}</label>
      <textarea id="text-text" rows={4} required maxLength={1600} value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
      <p class="hint">{words.variables}</p>
      <p class="preview">{reads}</p>
      <div class="composer-end">
        <p class="cost">{said === '' ? '' : words.segments(segments, left)}</p>
        <button type="button" class="plain" onClick={onDone}>
          {words.cancelEdit}
        </button>
        <button type="submit" class="send">
          {words.save}
        </button>
      </div>
    </form>
  );
}
