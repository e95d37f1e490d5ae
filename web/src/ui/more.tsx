// On a phone: everything that the bar of views has no room for.
import { ChartColumn, CircleHelp, CircleUserRound, Clock, KeyRound, LogOut, Settings as SettingsIcon, SunMoon, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { leave, mayAdminister, mayWrite } from '../desk';
import { isAway, setAvailability } from '../mine';
import { identity } from '../net/session';
import { go } from '../route';
import { words } from '../words';
import { Modal } from './modal';
import { Act } from './parts';
import { dialog, nextTheme, theme } from './screen';

export function More(): JSX.Element {
  const who = identity.value;
  const closed = (act: () => void) => (): void => {
    dialog.value = null;
    act();
  };
  return (
    <Modal label={words.more} kind="more">
      <header class="modal-head">
        <h2>{who?.operator ?? words.more}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <ul class="more-list">
        <Item icon={<ChartColumn size={20} aria-hidden="true" />} label={words.overview} act={closed(() => go({ area: 'overview', conversation: null }))} />
        {mayAdminister.value && <Item icon={<SettingsIcon size={20} aria-hidden="true" />} label={words.settings} act={() => (dialog.value = 'settings')} />}
        {mayWrite.value && (
          <Item
            icon={<CircleUserRound size={20} aria-hidden="true" />}
            label={isAway.value ? words.comeBack : words.goAway}
            act={closed(() => void setAvailability(isAway.peek() ? 'available' : 'away'))}
          />
        )}
        {mayWrite.value && <Item icon={<Clock size={20} aria-hidden="true" />} label={words.hours} act={() => (dialog.value = 'hours')} />}
        <Item icon={<CircleHelp size={20} aria-hidden="true" />} label={words.preferences} act={() => (dialog.value = 'help')} />
        <Item icon={<SunMoon size={20} aria-hidden="true" />} label={`${words.theme}: ${words.themes[theme.value]}`} act={nextTheme} />
        {who?.by === 'password' && <Item icon={<KeyRound size={20} aria-hidden="true" />} label={words.sessions} act={() => (dialog.value = 'sessions')} />}
        {who !== null && who.by !== 'demo' && <Item icon={<LogOut size={20} aria-hidden="true" />} label={words.signOut} act={closed(leave)} />}
      </ul>
    </Modal>
  );
}

function Item({ icon, label, act }: { icon: JSX.Element; label: string; act: () => void }): JSX.Element {
  return (
    <li>
      <button type="button" onClick={act}>
        {icon} {label}
      </button>
    </li>
  );
}
