// What was done, with its undo; what was refused, with why.
import { Undo2, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { dismiss, toasts } from '../toasts';
import { words } from '../words';
import { Key } from './parts';

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="region" aria-label={words.notices}>
      <div role="status">
        {toasts.value.map((toast) => (
          <div key={toast.id} class={`toast ${toast.kind}`}>
            <p>{toast.text}</p>
            {toast.undo !== null && (
              <button type="button" class="text-act" onClick={toast.undo}>
                <Undo2 size={14} aria-hidden="true" /> {words.undo} <Key keys="z" />
              </button>
            )}
            <button type="button" class="act" aria-label={words.dismiss} title={words.dismiss} onClick={() => dismiss(toast.id)}>
              <X size={14} aria-hidden="true" />
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}
