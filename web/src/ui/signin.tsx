// Until there are accounts: a pasted token, kept in this window's memory only.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePasted } from '../net/session';
import { words } from '../words';

export function SignIn({ again }: { again: boolean }): JSX.Element {
  const [wrong, setWrong] = useState(false);
  const enter = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('token');
    try {
      if (field instanceof HTMLInputElement) usePasted(field.value);
    } catch {
      setWrong(true);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={enter}>
        <img src="/favicon.svg" width="40" height="40" alt="" />
        <h1>{words.name}</h1>
        {again && <p>{words.signedOut}</p>}
        <label for="token">{words.token}</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} aria-describedby="token-hint" aria-invalid={wrong} required />
        <p id="token-hint" class="hint">
          {words.signInHint} <code>{words.signInHow}</code>
        </p>
        {wrong && (
          <p class="bad" role="alert">
            {words.badToken}
          </p>
        )}
        <button type="submit" class="send">
          {words.signIn}
        </button>
      </form>
    </main>
  );
}
