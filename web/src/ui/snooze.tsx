// Until when a conversation is hidden.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { morning, when } from '../time';
import { words } from '../words';
import { snoozeCurrent } from './commands';
import { menu } from './screen';

function choices(): { name: string; until: Date }[] {
  const now = new Date();
  const inHours = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);
  const toMonday = (8 - now.getDay()) % 7 || 7;
  const { hour, later, tomorrow, monday } = words.snoozeChoices;
  return [
    { name: hour, until: inHours(1) },
    { name: later, until: inHours(3) },
    { name: tomorrow, until: morning(1) },
    ...(toMonday === 1 ? [] : [{ name: monday, until: morning(toMonday) }]),
  ];
}

export function SnoozeMenu(): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    list.current?.querySelector('button')?.focus();
    const outside = (event: PointerEvent): void => {
      const place = list.current?.parentElement;
      if (event.target instanceof Node && place?.contains(event.target) !== true) menu.value = null;
    };
    document.addEventListener('pointerdown', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const all = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = all.findIndex((one) => one === document.activeElement);
    all[(at + by + all.length) % all.length]?.focus();
  };
  return (
    <div class="menu" role="menu" aria-label={words.snooze} ref={list} onKeyDown={move}>
      {choices().map(({ name, until }) => (
        <button key={name} type="button" role="menuitem" onClick={() => snoozeCurrent(until)}>
          {name}
          <span class="menu-when">{when(until)}</span>
        </button>
      ))}
    </div>
  );
}
