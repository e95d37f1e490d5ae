// REST: typed by the engine's own document. Errors are problems with a stable code.
import type {
  ChannelSettings,
  ChannelView,
  ContactView,
  ConversationPage,
  ConversationView,
  FiguresPage,
  Availability,
  InboxPage,
  Invite,
  MeView,
  MessageView,
  OneTimeLink,
  OperatorView,
  Preferences,
  Problem,
  QueueView,
  Reply,
  Role,
  SavedFilter,
  SearchPage,
  TenantView,
  WeekHours,
  Texts,
} from '../types';
import { currentToken, distrust } from './session';

/** The engine refused, and says why. */
export class Refused extends Error {
  readonly problem: Problem;
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null) {
    super(problem.code);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return this.problem.status >= 500 || this.problem.status === 429 || this.problem.status === 408;
  }
}

/** No answer came: the engine or the network is away. */
export class Unreachable extends Error {}

const LONGEST_MS = 15_000;

async function call<T>(method: string, path: string, body?: unknown, key?: string, again = true): Promise<T> {
  let response: Response;
  try {
    const headers: Record<string, string> = { authorization: `Bearer ${await currentToken()}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (key !== undefined) headers['idempotency-key'] = key;
    const init: RequestInit = { method, headers, cache: 'no-store', signal: AbortSignal.timeout(LONGEST_MS) };
    response = await fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  } catch (error) {
    throw new Unreachable('no answer', { cause: error });
  }
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401 && again) {
    distrust();
    return call(method, path, body, key, false);
  }
  const retry = Number(response.headers.get('retry-after'));
  throw new Refused(await problem(response), retry > 0 ? retry * 1_000 : null);
}

async function problem(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    // A proxy between us and the engine answers in its own words.
    return { type: 'about:blank', title: response.statusText, status: response.status, code: 'unavailable' };
  }
}

function query(parts: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value != null) search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

export const rest = {
  inbox: (open: boolean, cursor: string | null, limit: number): Promise<InboxPage> =>
    call('GET', `/v1/inbox${query({ open, cursor, limit })}`),
  conversation: (id: string): Promise<ConversationView> => call('GET', `/v1/conversations/${id}`),
  events: (id: string, at: { before?: number; at_least?: number; limit: number }): Promise<ConversationPage> =>
    call('GET', `/v1/conversations/${id}/events${query(at)}`),
  contact: (id: string): Promise<ContactView> => call('GET', `/v1/conversations/${id}/contact`),
  message: (id: string): Promise<MessageView> => call('GET', `/v1/messages/${id}`),
  search: (q: string): Promise<SearchPage> => call('GET', `/v1/search${query({ q, limit: 50 })}`),
  figures: (hours: number, channel: string | null): Promise<FiguresPage> => call('GET', `/v1/figures${query({ hours, channel })}`),
  me: (at_least: number | null): Promise<MeView> => call('GET', `/v1/me${query({ at_least })}`),
  saveFilters: (filters: readonly SavedFilter[]): Promise<Reply> => call('PUT', '/v1/me/filters', { filters }),
  setAvailability: (availability: Availability): Promise<Reply> => call('PUT', '/v1/me/availability', { availability }),
  setAvailabilityOf: (operator: string, availability: Availability): Promise<Reply> =>
    call('PUT', `/v1/admin/operators/${encodeURIComponent(operator)}/availability`, { availability }),
  setPreferences: (preferences: Preferences): Promise<Reply> => call('PUT', '/v1/me/preferences', preferences),
  setHours: (hours: WeekHours | null): Promise<Reply> => call('PUT', '/v1/me/hours', { hours }),
  setHoursOf: (operator: string, hours: WeekHours | null): Promise<Reply> =>
    call('PUT', `/v1/admin/operators/${encodeURIComponent(operator)}/hours`, { hours }),
  texts: (): Promise<Texts> => call('GET', '/v1/texts'),
  tenant: (): Promise<TenantView> => call('GET', '/v1/admin/tenant'),
  setTenant: (business_name: string): Promise<Reply> => call('PUT', '/v1/admin/tenant', { business_name }),
  setAccount: (account: string, carrier_id: string, auth_token: string): Promise<Reply> =>
    call('PUT', `/v1/admin/accounts/${encodeURIComponent(account)}`, { carrier_id, auth_token }),
  setChannel: (line: string, settings: ChannelSettings): Promise<Reply> => call('PUT', `/v1/admin/channels/${encodeURIComponent(line)}`, settings),
  channels: (): Promise<{ rows: ChannelView[] }> => call('GET', '/v1/admin/channels'),
  operators: (): Promise<{ rows: OperatorView[] }> => call('GET', '/v1/admin/operators'),
  setOperator: (operator: string, role: Role | null): Promise<Reply> => call('PUT', `/v1/admin/operators/${encodeURIComponent(operator)}`, { role }),
  resetOperator: (operator: string): Promise<OneTimeLink> => call('POST', `/v1/admin/operators/${encodeURIComponent(operator)}/reset`),
  invite: (invite: Invite): Promise<OneTimeLink> => call('POST', '/v1/admin/invitations', invite),
  queue: (line: string): Promise<QueueView> => call('GET', `/v1/admin/channels/${encodeURIComponent(line)}/queue`),
  setCoverage: (line: string, coverage: boolean): Promise<Reply> => call('PUT', `/v1/admin/channels/${encodeURIComponent(line)}/coverage`, { coverage }),
  setTemplate: (id: string, text: string): Promise<Reply> => call('PUT', `/v1/admin/templates/${encodeURIComponent(id)}`, { text }),
  removeTemplate: (id: string): Promise<Reply> => call('DELETE', `/v1/admin/templates/${encodeURIComponent(id)}`),
  /** A command of the outbox. */
  command: (path: string, body: unknown, key: string): Promise<Reply> => call('POST', path, body, key),
};
