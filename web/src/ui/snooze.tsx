// Until when a conversation is hidden.
import type { JSX } from 'preact';
import { morning, when } from '../time';
import { words } from '../words';
import { snoozeCurrent } from './commands';
import { Menu } from './menu';

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
  return (
    <Menu label={words.snooze}>
      {choices().map(({ name, until }) => (
        <button key={name} type="button" role="menuitem" onClick={() => snoozeCurrent(until)}>
          {name}
          <span class="menu-when">{when(until)}</span>
        </button>
      ))}
    </Menu>
  );
}
