// Views with their numbers, the connection, and who is signed in.
import { AlarmClock, ChartColumn, CheckCheck, CircleHelp, Ellipsis, Inbox, MonitorCog, Moon, PhoneMissed, Settings as SettingsIcon, Sun, User, Users } from 'lucide-preact';
import type { JSX } from 'preact';
import { mayAdminister, mayWrite, totals, whole } from '../desk';
import { chosen } from '../mine';
import { awaySince, connection } from '../net/stream';
import { orders } from '../net/outbox';
import { identity } from '../net/session';
import { go, route } from '../route';
import { VIEWS, type View } from '../state/views';
import { whole as number } from '../time';
import { words } from '../words';
import { Me, standing } from './me';
import { Act } from './parts';
import { dialog, nextTheme, theme } from './screen';

const ICONS = { mine: User, unassigned: Users, all: Inbox, missed: PhoneMissed, snoozed: AlarmClock, resolved: CheckCheck };

export function Nav(): JSX.Element {
  const who = identity.value;
  const Theme = { auto: MonitorCog, light: Sun, dark: Moon }[theme.value];
  return (
    <nav class="nav" aria-label={words.views}>
      <p class="brand" title={who?.by === 'demo' ? words.demoHint : undefined}>
        <img src="/favicon.svg" width="24" height="24" alt="" />
        <span class="nav-name">{words.name}</span>
        {who?.by === 'demo' && <span class="badge">{words.demo}</span>}
      </p>
      <ul>
        {VIEWS.map((view, at) => (
          <li key={view}>
            <ViewLink view={view} at={at} />
          </li>
        ))}
        <li class="nav-wide">
          <OverviewLink />
        </li>
      </ul>
      <div class="nav-end">
        <Link />
        <Act label={words.more} class="nav-more" onClick={() => (dialog.value = 'more')}>
          <Ellipsis size={20} aria-hidden="true" />
        </Act>
        <div class="nav-acts">
          <Act label={words.keys} keys="?" onClick={() => (dialog.value = 'help')}>
            <CircleHelp size={18} aria-hidden="true" />
          </Act>
          {mayAdminister.value && (
            <Act label={words.settings} onClick={() => (dialog.value = 'settings')}>
              <SettingsIcon size={18} aria-hidden="true" />
            </Act>
          )}
          <Act
            label={`${words.theme}: ${words.themes[theme.value]}`}
            onClick={nextTheme}
          >
            <Theme size={18} aria-hidden="true" />
          </Act>
        </div>
        {mayWrite.value && <Standing />}
        <Me />
      </div>
    </nav>
  );
}

/** Until when one is available or away, where there is room for words; leads to the hours. */
function Standing(): JSX.Element | null {
  const text = standing();
  if (text === null) return null;
  return (
    <button type="button" class="nav-hours nav-name" title={words.hours} onClick={() => (dialog.value = 'hours')}>
      {text}
    </button>
  );
}

function ViewLink({ view, at }: { view: View; at: number }): JSX.Element {
  const Icon = ICONS[view];
  const count = totals.value.counts[view];
  const current = route.value.area === 'inbox' && route.value.view === view;
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    chosen.value = null;
    go({ view, conversation: null });
  };
  return (
    <a class="view" href={`/inbox/${view}`} aria-keyshortcuts={String(at + 1)} aria-current={current ? 'page' : undefined} title={`${words.viewNames[view]} (${at + 1})`} onClick={open}>
      <Icon size={18} aria-hidden="true" />
      <span class="nav-name">{words.viewNames[view]}</span>
      {view !== 'resolved' && count > 0 && (
        <span class="view-count">
          {number.format(count)}
          {!whole.value && '+'}
        </span>
      )}
    </a>
  );
}

function OverviewLink(): JSX.Element {
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ area: 'overview', conversation: null });
  };
  return (
    <a class="view" href="/overview" aria-keyshortcuts="o" aria-current={route.value.area === 'overview' ? 'page' : undefined} title={`${words.overview} (o)`} onClick={open}>
      <ChartColumn size={18} aria-hidden="true" />
      <span class="nav-name">{words.overview}</span>
    </a>
  );
}

/** A quiet indicator: offline is a state, not an error. */
function Link(): JSX.Element {
  const held = orders.value.filter((order) => order.state === 'held').length;
  const state = connection.value;
  const text = words.connection(state, awaySince.value, held);
  return (
    <p class="link" data-state={state} title={text}>
      <span class="dot" aria-hidden="true" />
      <span class="nav-name">{state === 'live' ? text : words.connectionShort[state]}</span>
    </p>
  );
}

/** The one line that says it across the page, also to screen readers. */
export function Offline(): JSX.Element {
  const held = orders.value.filter((order) => order.state === 'held').length;
  const away = connection.value === 'away';
  return (
    <p class="offline" role="status" data-on={away ? '' : undefined}>
      {away ? words.connection('away', awaySince.value, held) : ''}
    </p>
  );
}
