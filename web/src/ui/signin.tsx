// The ways in: e-mail and password, a one-time link, or a token, which is kept in this window's memory only.
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { NotLetIn, join, lookAt, signIn, usePasted } from '../net/session';
import type { PageInvitation } from '../types';
import { words } from '../words';

type Problem = string | null;

/** What a form does, one at a time, and what went wrong with it. */
function useAttempt(): { busy: boolean; wrong: Problem; attempt: (act: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Problem>(null);
  const attempt = (act: () => Promise<void>): void => {
    if (busy) return;
    setBusy(true);
    setWrong(null);
    act()
      .catch((error: unknown) => setWrong(error instanceof NotLetIn ? words.notLetIn(error.problem) : words.cannotReach))
      .finally(() => setBusy(false));
  };
  return { busy, wrong, attempt };
}

function text(event: SubmitEvent, name: string): string {
  const field = (event.currentTarget as HTMLFormElement).elements.namedItem(name);
  return field instanceof HTMLInputElement ? field.value : '';
}

function Door({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <main class="sign-in">
      <div class="door">
        <header class="door-head">
          <img src="/favicon.svg" width="40" height="40" alt="" />
          <h1>{title}</h1>
        </header>
        {children}
      </div>
    </main>
  );
}

function Wrong({ wrong }: { wrong: Problem }): JSX.Element {
  return (
    <p class="bad" role="alert">
      {wrong}
    </p>
  );
}

export function SignIn({ again }: { again: boolean }): JSX.Element {
  const { busy, wrong, attempt } = useAttempt();
  return (
    <Door title={words.name}>
      {again && <p role="status">{words.signedOut}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const [email, password] = [text(event, 'email'), text(event, 'password')];
          attempt(() => signIn(email, password));
        }}
      >
        <label for="email">{words.email}</label>
        <input id="email" name="email" type="email" autocomplete="username" required autofocus />
        <label for="password">{words.password}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <Wrong wrong={wrong} />
        <button type="submit" class="send" aria-disabled={busy}>
          {words.signIn}
        </button>
      </form>
      <p class="hint">{words.forgotten}</p>
      <Pasted />
    </Door>
  );
}

/** For whoever has a token of `deskwire token`, or of an identity provider. */
function Pasted(): JSX.Element {
  const [wrong, setWrong] = useState(false);
  const enter = (event: SubmitEvent): void => {
    event.preventDefault();
    try {
      usePasted(text(event, 'token'));
    } catch {
      setWrong(true);
    }
  };
  return (
    <details class="pasted">
      <summary>{words.withToken}</summary>
      <form onSubmit={enter}>
        <label for="token">{words.token}</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} aria-describedby="token-hint" aria-invalid={wrong} required />
        <p id="token-hint" class="hint">
          {words.signInHint} <code>{words.signInHow}</code>
        </p>
        {wrong && <Wrong wrong={words.badToken} />}
        <button type="submit" class="send">
          {words.useToken}
        </button>
      </form>
    </details>
  );
}

/** The link's secret: taken out of the address at once, so that it is in no history and on no screen. */
const link = location.pathname === '/join' ? location.hash.slice(1) : '';
if (location.pathname === '/join') history.replaceState(null, '', '/join');

/** Whether the page was opened by a one-time link that has not let in yet. */
export const joining = signal(location.pathname === '/join');

export function Join(): JSX.Element {
  const [about, setAbout] = useState<PageInvitation | null>(null);
  const { wrong: spent, attempt: look } = useAttempt();
  const { busy, wrong, attempt } = useAttempt();
  useEffect(() => look(async () => setAbout(await lookAt(link))), []);
  if (about === null) {
    return (
      <Door title={words.name}>
        {spent === null ? <p>{words.loading}</p> : <Wrong wrong={spent} />}
        {spent !== null && (
          <p>
            <a class="text-act" href="/">
              {words.signIn}
            </a>
          </p>
        )}
      </Door>
    );
  }
  return (
    <Door title={about.reset ? words.newPassword : words.welcome(about.operator)}>
      <p>{words.joining(about)}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const password = text(event, 'password');
          attempt(async () => {
            await join(link, password);
            history.replaceState(null, '', '/inbox/all');
            joining.value = false;
          });
        }}
      >
        <input type="email" name="email" autocomplete="username" value={about.email} readOnly hidden />
        <label for="password">{words.choosePassword}</label>
        <input id="password" name="password" type="password" autocomplete="new-password" minLength={10} aria-describedby="password-hint" required autofocus />
        <p id="password-hint" class="hint">
          {words.passwordHint}
        </p>
        <Wrong wrong={wrong} />
        <button type="submit" class="send" aria-disabled={busy}>
          {words.setPassword}
        </button>
      </form>
    </Door>
  );
}
