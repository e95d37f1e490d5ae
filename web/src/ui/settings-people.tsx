// Who works here: roles, invitations, links to a new password. The engine decides what is allowed.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { me } from '../desk';
import { awayOnes, setAvailabilityOf } from '../mine';
import { online } from '../presence';
import { rest } from '../net/rest';
import { identity } from '../net/session';
import { fully } from '../time';
import type { OneTimeLink, OperatorView, Role, WeekHours } from '../types';
import { words } from '../words';
import { HoursEdit } from './hours';
import { Copyable, attempt, useLoaded } from './settings-parts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin', 'owner'];

export function People(): JSX.Element {
  const { value, again } = useLoaded(rest.operators);
  const [made, setMade] = useState<{ for: string; link: OneTimeLink } | null>(null);
  const change = (operator: string, role: Role | null): void => void attempt(() => rest.setOperator(operator, role)).then(again);
  const reset = (operator: string): void => void attempt(async () => setMade({ for: operator, link: await rest.resetOperator(operator) }));
  const hours = (operator: string, set: WeekHours | null): void => void attempt(() => rest.setHoursOf(operator, set)).then(again);
  const people = value?.rows.filter((one) => one.role != null) ?? [];
  const here = new Set([me.value, ...online()]);
  // Whoever was let in without an invitation is at work here too.
  const guests = value === null ? [] : [...here, ...awayOnes.value].filter((one, at, all) => one !== '' && all.indexOf(one) === at && !people.some((known) => known.operator === one)).sort();
  return (
    <>
      {value === null && <p class="quiet">{words.loading}</p>}
      {value !== null && people.length + guests.length === 0 && <p class="quiet">{words.noPeople}</p>}
      <ul class="table-list">
        {people.map((one) => (
          <Person key={one.operator} one={one} here={here.has(one.operator)} onRole={(role) => change(one.operator, role)} onReset={() => reset(one.operator)} onHours={(set) => hours(one.operator, set)} />
        ))}
        {guests.map((operator) => (
          <li key={operator}>
            <Who operator={operator} here={here.has(operator)} beside={[words.uninvited]} />
          </li>
        ))}
      </ul>
      {made !== null && (
        <div class="made" role="status">
          <p>{words.linkFor(made.for, fully(made.link.until))}</p>
          <Copyable label={words.link} text={made.link.link} />
        </div>
      )}
      <Invite
        onMade={(operator, link) => {
          setMade({ for: operator, link });
          again();
        }}
      />
    </>
  );
}

function Roles({ value, label, onRole }: { value: Role; label: string; onRole: (role: Role) => void }): JSX.Element {
  const mine = identity.value?.role;
  return (
    <select aria-label={label} value={value} disabled={value === 'owner' && mine !== 'owner'} onChange={(event) => onRole(event.currentTarget.value as Role)}>
      {ROLES.filter((role) => role !== 'owner' || mine === 'owner' || value === 'owner').map((role) => (
        <option key={role} value={role}>
          {words.roles[role]}
        </option>
      ))}
    </select>
  );
}

interface PersonProps {
  one: OperatorView;
  here: boolean;
  onRole: (role: Role | null) => void;
  onReset: () => void;
  onHours: (hours: WeekHours | null) => void;
}

function Who({ operator, here, beside }: { operator: string; here: boolean; beside: readonly (string | null | undefined)[] }): JSX.Element {
  const away = awayOnes.value.has(operator);
  return (
    <span class="table-main">
      {away ? words.isAway(operator) : operator} {operator === me.value && <small class="inline">({words.you})</small>}
      {here && <span class="tag here">{words.hereNow}</span>}
      <small>{beside.filter((part) => part != null).join(' · ')}</small>
    </span>
  );
}

function Person({ one, here, onRole, onReset, onHours }: PersonProps): JSX.Element {
  const [editing, setEditing] = useState(false);
  const away = awayOnes.value.has(one.operator);
  const mayTouch = one.role !== 'owner' || identity.value?.role === 'owner';
  return (
    <li>
      <Who operator={one.operator} here={here} beside={[one.email, one.sign_in === 'invited' ? words.invited : null, one.hours == null ? null : words.byHours]} />
      <Roles value={one.role ?? 'viewer'} label={words.roleOf(one.operator)} onRole={onRole} />
      {mayTouch && one.email != null && (
        <button type="button" class="text-act" aria-label={`${words.newLink}: ${one.operator}`} onClick={onReset}>
          {words.newLink}
        </button>
      )}
      <button type="button" class="text-act" aria-expanded={editing} aria-label={words.hoursOf(one.operator)} onClick={() => setEditing(!editing)}>
        {words.hours}
      </button>
      {one.operator !== me.value && (
        <button type="button" class="text-act" aria-label={`${away ? words.setBack : words.setAway}: ${one.operator}`} onClick={() => void setAvailabilityOf(one.operator, away ? 'available' : 'away')}>
          {away ? words.setBack : words.setAway}
        </button>
      )}
      {mayTouch && one.operator !== me.value && (
        <button type="button" class="text-act" aria-label={`${words.remove}: ${one.operator}`} onClick={() => onRole(null)}>
          {words.remove}
        </button>
      )}
      {editing && (
        <HoursEdit
          hours={one.hours ?? null}
          onSave={(hours) => {
            setEditing(false);
            onHours(hours);
          }}
        />
      )}
    </li>
  );
}

function Invite({ onMade }: { onMade: (operator: string, link: OneTimeLink) => void }): JSX.Element {
  const [email, setEmail] = useState('');
  const [name, setName] = useState<string | null>(null);
  const [role, setRole] = useState<Role>('operator');
  const operator = name ?? (email.split('@')[0] ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '');
  const invite = (): void =>
    void attempt(async () => {
      onMade(operator, await rest.invite({ operator, email, role }));
      setEmail('');
      setName(null);
    });
  return (
    <form
      class="fields invite"
      onSubmit={(event) => {
        event.preventDefault();
        invite();
      }}
    >
      <h3>{words.invite}</h3>
      <label for="invite-email">{words.email}</label>
      <input id="invite-email" type="email" required value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
      <label for="invite-name">{words.seenAs}</label>
      <input id="invite-name" required pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*" maxLength={64} value={operator} onInput={(event) => setName(event.currentTarget.value)} />
      <Roles value={role} label={words.role} onRole={setRole} />
      <button type="submit" class="send">
        {words.makeLink}
      </button>
    </form>
  );
}
