// The page begins: who is it, then everything else.
import { effect, signal, untracked } from '@preact/signals';
import { render } from 'preact';
import './style/index.css';
import { begin, nudge } from './desk';
import { enter as letIn, identity } from './net/session';
import { App } from './ui/app';
import { joining } from './ui/signin';
import { language } from './words/language';

const root = document.getElementById('desk');
document.documentElement.lang = language;
const wasIn = signal(false);
const asked = signal(false);

effect(() => {
  if (identity.value === null) return;
  untracked(() => {
    wasIn.value = true;
    void begin();
  });
});

effect(() => {
  if (root !== null && (asked.value || identity.value !== null)) render(<App again={wasIn.value} />, root);
});

addEventListener('online', nudge);
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && nudge());

async function enter(): Promise<void> {
  for (;;) {
    try {
      // A one-time link is for whoever has it, whoever else is signed in here.
      if (!joining.peek()) await letIn();
      asked.value = true;
      return;
    } catch {
      // The engine is away: the page waits for it.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

void enter();
