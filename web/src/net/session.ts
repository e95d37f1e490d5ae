// Who the page is: a token in memory, and only there. It is renewed by the session's cookie, which no script can read; in
// demo mode the engine gives one to its own page. A pasted one is good until it ends.
import { signal } from '@preact/signals';
import type { PageInvitation, PageSessions, PageToken, Problem } from '../types';

export interface Identity {
  readonly tenant: string;
  readonly operator: string;
  readonly role: string;
  /** How they came in: with e-mail and password, because this is the demo, or with a token of somebody's. */
  readonly by: 'password' | 'demo' | 'token';
  /** In demo mode: the page of the telephone that callers have. */
  readonly phone?: string;
}

/** None: nobody is signed in. */
export const identity = signal<Identity | null>(null);

let token = '';
let endsAt = 0;
let renewing: Promise<string> | null = null;

/** Time before its end from when on a token is renewed. */
const MARGIN_MS = 60_000;

export class SignedOut extends Error {}

/** The engine lets nobody in so, and says why. */
export class NotLetIn extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}

/** A token that is good for a while. */
export async function currentToken(): Promise<string> {
  if (token !== '' && (Date.now() < endsAt - MARGIN_MS || identity.peek()?.by === 'token')) return token;
  renewing ??= renew().finally(() => (renewing = null));
  return renewing;
}

/** The token did not do: the next call asks for another. */
export function distrust(): void {
  endsAt = 0;
  if (identity.peek()?.by === 'token') forget();
}

/** Asks to be let in by the cookie, or as the demo does. False: somebody must sign in. */
export async function enter(): Promise<boolean> {
  try {
    await renew();
    return true;
  } catch (error) {
    if (error instanceof SignedOut) return false;
    throw error;
  }
}

/** Uses a token that somebody pasted. Throws what is wrong with it. */
export function usePasted(text: string): void {
  const claims = read(text.trim());
  token = text.trim();
  endsAt = Number.POSITIVE_INFINITY;
  identity.value = { tenant: claims.tenant, operator: claims.sub, role: claims.role, by: 'token' };
}

export async function signIn(email: string, password: string): Promise<void> {
  const tenant = new URLSearchParams(location.search).get('tenant');
  use(await ask<PageToken>('sign-in', { email, password, ...(tenant !== null && { tenant }) }));
}

/** What a one-time link is for. */
export function lookAt(link: string): Promise<PageInvitation> {
  return ask('invitation', { link });
}

/** Sets a password by a one-time link, and is signed in. */
export async function join(link: string, password: string): Promise<void> {
  use(await ask<PageToken>('join', { link, password }));
}

export async function sessions(): Promise<PageSessions> {
  return told(await fetch('/page/sessions', { cache: 'no-store' }));
}

/** Ends another session of the same person, or all of them. */
export async function endSession(which: { session?: string; everywhere?: boolean }): Promise<void> {
  await ask('sign-out', which);
  if (which.everywhere === true) forget();
}

/** Forgets who it was at once; the engine is told. */
export function signOut(): void {
  if (identity.peek()?.by === 'password') ask('sign-out', {}).catch(() => undefined);
  forget();
}

/** Nobody is signed in here any more. */
export function forget(): void {
  token = '';
  endsAt = 0;
  identity.value = null;
}

async function ask<T>(what: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return told(await fetch(`/page/${what}`, { method: 'POST', headers, body: JSON.stringify(body), cache: 'no-store' }));
}

async function told<T>(response: Response): Promise<T> {
  const said: unknown = await response.json().catch(() => null);
  if (response.ok) return said as T;
  const other: Problem = { type: 'about:blank', title: response.statusText, status: response.status, code: 'unavailable' };
  throw new NotLetIn(said !== null && typeof said === 'object' && 'code' in said ? (said as Problem) : other);
}

async function renew(): Promise<string> {
  const operator = new URLSearchParams(location.search).get('as');
  try {
    use(await ask<PageToken>('sign-in', operator === null ? {} : { operator }));
  } catch (error) {
    const refused = error instanceof NotLetIn && error.problem.status < 500 && error.problem.status !== 429;
    if (!refused) throw error;
    forget();
    throw new SignedOut('nobody is signed in', { cause: error });
  }
  return token;
}

function use(given: PageToken): void {
  token = given.token;
  endsAt = Date.now() + given.valid_s * 1_000;
  const by = given.demo ? 'demo' : 'password';
  const known = identity.peek();
  const same = known?.operator === given.operator && known.tenant === given.tenant && known.role === given.role && known.by === by;
  if (!same) identity.value = { tenant: given.tenant, operator: given.operator, role: given.role, by, ...(given.phone != null && { phone: given.phone }) };
}

/** What a token says of itself. The engine alone decides whether it is true. */
function read(text: string): { tenant: string; sub: string; role: string } {
  const body = text.split('.')[1];
  if (body == null) throw new Error('not a token');
  const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (claims === null || typeof claims !== 'object') throw new Error('not a token');
  const { tenant, sub, role } = claims as Record<string, unknown>;
  if (typeof tenant !== 'string' || typeof sub !== 'string' || typeof role !== 'string') throw new Error('not a token');
  return { tenant, sub, role };
}
