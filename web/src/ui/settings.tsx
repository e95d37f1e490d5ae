// Settings, for admins: people and their roles, lines with what to paste at the carrier, texts.
import { X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { words } from '../words';
import { Modal } from './modal';
import { Act } from './parts';
import { dialog } from './screen';
import { Lines } from './settings-lines';
import { People } from './settings-people';
import { TextsSettings } from './settings-texts';

const PARTS = { people: People, lines: Lines, texts: TextsSettings };
type Part = keyof typeof PARTS;

export function Settings(): JSX.Element {
  const [part, setPart] = useState<Part>('people');
  const Shown = PARTS[part];
  return (
    <Modal label={words.settings} kind="settings">
      <header class="modal-head">
        <h2>{words.settings}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <div class="kinds settings-parts" role="group" aria-label={words.settings}>
        {(Object.keys(PARTS) as Part[]).map((one) => (
          <button key={one} type="button" aria-pressed={part === one} onClick={() => setPart(one)}>
            {words.settingsParts[one]}
          </button>
        ))}
      </div>
      <div class="modal-text">
        <Shown />
      </div>
    </Modal>
  );
}
