// Where one is signed in, and how to end it: here, there, or everywhere.
import { X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { endSession, sessions } from '../net/session';
import { fully } from '../time';
import { say } from '../toasts';
import type { PageSessions } from '../types';
import { words } from '../words';
import { Modal } from './modal';
import { Act } from './parts';
import { dialog } from './screen';

export function Sessions(): JSX.Element {
  const [known, setKnown] = useState<PageSessions | null>(null);
  const read = (): void => {
    sessions().then(setKnown, () => say({ text: words.cannotReach, kind: 'problem' }));
  };
  useEffect(read, []);
  const end = (which: { session?: string; everywhere?: boolean }): void => {
    endSession(which).then(
      () => (which.everywhere === true ? (dialog.value = null) : read()),
      () => say({ text: words.cannotReach, kind: 'problem' }),
    );
  };
  return (
    <Modal label={words.sessions} kind="sessions">
      <header class="modal-head">
        <h2>{words.sessions}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <div class="modal-text">
        {known === null ? (
          <p class="quiet">{words.loading}</p>
        ) : (
          <>
            <p class="quiet">{known.email}</p>
            <ul class="table-list">
              {known.rows.map((one) => (
                <li key={one.id}>
                  <span class="table-main">
                    {words.browser(one.agent)}
                    <small>{one.current ? words.thisBrowser : words.since(fully(one.since))}</small>
                  </span>
                  {!one.current && (
                    <button type="button" class="text-act" onClick={() => end({ session: one.id })}>
                      {words.signOut}
                    </button>
                  )}
                </li>
              ))}
            </ul>
            <button type="button" class="plain" onClick={() => end({ everywhere: true })}>
              {words.signOutEverywhere}
            </button>
          </>
        )}
      </div>
    </Modal>
  );
}
