// Who I am here, and what is my own: being away, hours, where I am signed in. Nothing of it is done by one press on an icon.
import type { JSX } from 'preact';
import { leave, mayWrite } from '../desk';
import { isAway, mine, setAvailability } from '../mine';
import { identity } from '../net/session';
import type { Role } from '../types';
import { words } from '../words';
import { Menu } from './menu';
import { Heard } from './parts';
import { dialog, menu } from './screen';

/** Until when one is available or away, for whoever has hours. */
export function standing(): string | null {
  const me = mine.value;
  return me?.hours == null ? null : words.standing(isAway.value, me.until ?? null, me.by_hand);
}

function initials(operator: string): string {
  const parts = operator.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== '');
  const letters = parts.length > 1 ? `${parts[0]?.[0] ?? ''}${parts[1]?.[0] ?? ''}` : operator.slice(0, 2);
  return letters.toUpperCase();
}

export function Me(): JSX.Element | null {
  const who = identity.value;
  if (who === null) return null;
  const away = isAway.value;
  const label = `${words.account}: ${away ? words.isAway(who.operator) : who.operator}`;
  const until = standing();
  return (
    <div class="me">
      <button
        type="button"
        class="me-act"
        aria-haspopup="menu"
        aria-expanded={menu.value === 'me'}
        aria-description={until ?? undefined}
        title={until === null ? label : `${label}. ${until}`}
        data-away={away ? '' : undefined}
        onClick={() => (menu.value = menu.peek() === 'me' ? null : 'me')}
      >
        <span class="me-face" aria-hidden="true">
          {initials(who.operator)}
        </span>
        <span class="nav-name me-name">
          {who.operator}
          <small>{away ? words.away : words.roles[who.role as Role]}</small>
        </span>
        <Heard> {words.account}</Heard>
      </button>
      {menu.value === 'me' && <Own />}
    </div>
  );
}

function Own(): JSX.Element {
  const who = identity.value;
  const choose = (act: () => void) => (): void => {
    menu.value = null;
    act();
  };
  const item = (label: string, act: () => void, beside?: string | null): JSX.Element => (
    <button type="button" role="menuitem" onClick={choose(act)}>
      {label}
      {beside != null && <span class="menu-when">{beside}</span>}
    </button>
  );
  return (
    <Menu label={words.account} kind="me-menu">
      {mayWrite.value && item(isAway.value ? words.comeBack : words.goAway, () => void setAvailability(isAway.peek() ? 'available' : 'away'))}
      {mayWrite.value && item(words.hours, () => (dialog.value = 'hours'), standing())}
      {item(words.preferences, () => (dialog.value = 'help'))}
      {who?.by === 'password' && item(words.sessions, () => (dialog.value = 'sessions'))}
      {who !== null && who.by !== 'demo' && item(words.signOut, leave)}
    </Menu>
  );
}
