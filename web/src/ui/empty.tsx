// Empty states teach: the number to call for a test missed call.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { rest } from '../net/rest';
import { identity } from '../net/session';
import { readable } from '../phone';
import { words } from '../words';

const numbers = signal<string | null>(null);

/** Only admins may read the lines; for others the hint is left out. */
export function TestNumbers(): JSX.Element | null {
  useEffect(() => {
    if (numbers.peek() !== null) return;
    numbers.value = '';
    rest.channels().then(
      ({ rows }) => (numbers.value = rows.map((row) => readable(row.address)).join(', ')),
      () => (numbers.value = null),
    );
  }, []);
  if (numbers.value === null || numbers.value === '') return null;
  const phone = identity.value?.phone ?? null;
  return (
    <p class="hint">
      {words.callToTry(numbers.value)}
      {phone !== null && (
        <>
          {' '}
          <a class="text-act" href={phone} target="_blank" rel="noreferrer">
            {words.wizard.phone}
          </a>
        </>
      )}
    </p>
  );
}
