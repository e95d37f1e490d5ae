// What the parts of the settings share: loading, trying, copying.
import { Check, Copy } from 'lucide-preact';
import type { JSX } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { Refused } from '../net/rest';
import { say } from '../toasts';
import { words } from '../words';

/** What the wizard sets up when it is opened: the business with its first line, or one more line. */
export const setsUp = signal<'business' | 'line'>('business');

/** Does something, and says in words why it was refused. True: it is done. */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    say({ text: error instanceof Refused ? words.refused(error.problem) : words.cannotReach, kind: 'problem' });
    return false;
  }
}

/** What the engine has, and how to ask again. */
export function useLoaded<T>(load: () => Promise<T>): { value: T | null; again: () => void } {
  const [value, setValue] = useState<T | null>(null);
  const again = (): void => void attempt(async () => setValue(await load()));
  useEffect(again, []);
  return { value, again };
}

/** Something to paste elsewhere. */
export function Copyable({ label, text }: { label: string; text: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => say({ text: words.cannotCopy, kind: 'problem' }),
    );
  };
  return (
    <div class="copyable">
      <span class="copyable-label">{label}</span>
      <code>{text}</code>
      <button type="button" class="text-act" aria-label={`${words.copy}: ${label}`} onClick={copy}>
        {copied ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />} {copied ? words.copied : words.copy}
      </button>
    </div>
  );
}
