// A dialog above everything else.
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { dialog } from './screen';

/** The browser's own dialog: it holds the focus, closes on Escape, and gives the focus back. It opens before the next key
 * can arrive: whoever types on right after Ctrl K types into it. */
export function Modal({ label, children, kind }: { label: string; children: ComponentChildren; kind: string }): JSX.Element {
  const place = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const modal = place.current;
    modal?.showModal();
    return () => {
      modal?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      class={`modal ${kind}`}
      ref={place}
      aria-label={label}
      // It comes a task late: by then another dialog may stand here.
      onClose={(event) => event.currentTarget.isConnected && (dialog.value = null)}
      onClick={(event) => event.target === place.current && place.current?.close()}
    >
      <div class="modal-body">{children}</div>
    </dialog>
  );
}
