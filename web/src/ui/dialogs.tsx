// The help with every key, and the command palette.
import { X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { rows } from '../desk';
import { go } from '../route';
import { words } from '../words';
import { chooseLanguage, mine, setHold } from '../mine';
import { LANGUAGES, choice, type Language } from '../words/language';
import { commands } from './commands';
import { Filters } from './filters';
import { Hours } from './hours';
import { Modal } from './modal';
import { More } from './more';
import { NewMessage } from './newmessage';
import { Act, Face, Key } from './parts';
import { HOLD_MAX, dialog, holdSeconds, letters } from './screen';
import { Sessions } from './sessions';
import { Settings } from './settings';
import { Wizard } from './wizard';

export function Dialogs(): JSX.Element | null {
  switch (dialog.value) {
    case 'help':
      return <Help />;
    case 'palette':
      return <Palette />;
    case 'new':
      return <NewMessage />;
    case 'settings':
      return <Settings />;
    case 'filters':
      return <Filters />;
    case 'hours':
      return <Hours />;
    case 'more':
      return <More />;
    case 'wizard':
      return <Wizard />;
    case 'sessions':
      return <Sessions />;
    case null:
      return null;
  }
}

function Help(): JSX.Element {
  return (
    <Modal label={words.keys} kind="help">
      <header class="modal-head">
        <h2>{words.keys}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <dl class="keys">
        {commands
          .filter((command) => command.key !== '')
          .map((command) => (
            <div key={command.id}>
              <dt>{command.name}</dt>
              <dd>
                <Key keys={command.key} />
              </dd>
            </div>
          ))}
        <div>
          <dt>{words.commands.escape}</dt>
          <dd>
            <Key keys="Esc" />
          </dd>
        </div>
      </dl>
      <LanguageChoice />
      <label class="choice">
        <input
          type="number"
          min={0}
          max={HOLD_MAX}
          value={holdSeconds.value}
          onChange={(event) => {
            const asked = Math.round(event.currentTarget.valueAsNumber);
            holdSeconds.value = Number.isFinite(asked) ? Math.min(HOLD_MAX, Math.max(0, asked)) : holdSeconds.peek();
            event.currentTarget.value = String(holdSeconds.peek());
            void setHold(holdSeconds.peek());
          }}
        />
        <span>
          {words.holdChoice}
          <small>{words.holdHint}</small>
        </span>
      </label>
      <label class="choice">
        <input type="checkbox" checked={letters.value} onChange={(event) => (letters.value = event.currentTarget.checked)} />
        <span>
          {words.keysOff}
          <small>{words.keysOffHint}</small>
        </span>
      </label>
    </Modal>
  );
}

function LanguageChoice(): JSX.Element {
  return (
    <label class="choice">
      <select value={mine.value === null ? (choice ?? '') : (mine.value.preferences.language ?? '')} onChange={(event) => void chooseLanguage(event.currentTarget.value === '' ? null : (event.currentTarget.value as Language))}>
        <option value="">{words.languageAuto}</option>
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
      <span>
        {words.language}
        <small>{words.languageHint}</small>
      </span>
    </label>
  );
}

const MOST = 12;

function Palette(): JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const wanted = text.trim().toLowerCase();
  const found = [
    ...commands.filter((command) => command.can() && command.id !== 'palette' && command.name.toLowerCase().includes(wanted)).map((command) => ({
      id: command.id,
      name: command.name,
      side: command.key === '' ? null : <Key keys={command.key} />,
      icon: null as JSX.Element | null,
      run: command.run,
    })),
    ...(wanted === ''
      ? []
      : [...rows.value.values()]
          .filter((row) => words.who(row).toLowerCase().includes(wanted))
          .slice(0, 8)
          .map((row) => ({
            id: row.conversation,
            name: words.who(row),
            side: null,
            icon: <Face row={row} />,
            run: () => go({ view: row.open ? 'all' : 'resolved', conversation: row.conversation }),
          }))),
  ].slice(0, MOST);
  const run = (index: number): void => {
    const chosen = found[index];
    dialog.value = null;
    // The dialog gives the focus back first.
    if (chosen !== undefined) setTimeout(() => chosen.run(), 0);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const by = event.key === 'ArrowDown' ? 1 : -1;
      setAt((now) => (found.length === 0 ? 0 : (now + by + found.length) % found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(at);
    }
  };
  return (
    <Modal label={words.palette} kind="palette">
      <input
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[at] === undefined ? undefined : `palette-${at}`}
        aria-label={words.palettePlaceholder}
        placeholder={words.palettePlaceholder}
        autocomplete="off"
        autofocus
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id="palette-list" role="listbox" aria-label={words.palette}>
        {found.map((one, index) => (
          <li key={one.id} id={`palette-${index}`} role="option" aria-selected={index === at} onPointerMove={() => setAt(index)} onClick={() => run(index)}>
            {one.icon}
            <span>{one.name}</span>
            {one.side}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">{words.paletteNone}</p>}
    </Modal>
  );
}
