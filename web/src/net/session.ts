// Who the page is: a token in memory, and only there. In demo mode the engine gives one to its own page; outside it,
// until there are accounts, one is pasted.
import { signal } from '@preact/signals';
import type { PageToken } from '../types';

export interface Identity {
  readonly tenant: string;
  readonly operator: string;
  readonly role: string;
  readonly demo: boolean;
}

/** None: nobody is signed in. */
export const identity = signal<Identity | null>(null);

let token = '';
let endsAt = 0;
let renewing: Promise<string> | null = null;

/** Time before its end from when on a token is renewed. */
const MARGIN_MS = 60_000;

export class SignedOut extends Error {}

/** A token that is good for a while. */
export async function currentToken(): Promise<string> {
  if (token !== '' && (Date.now() < endsAt - MARGIN_MS || identity.value?.demo !== true)) return token;
  renewing ??= renew().finally(() => (renewing = null));
  return renewing;
}

/** The token did not do: the next call asks for another. */
export function distrust(): void {
  endsAt = 0;
  if (identity.value?.demo === false) signOut();
}

/** Asks the engine to be let in, as its demo does. False: this is no demo. */
export async function enterDemo(): Promise<boolean> {
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
  identity.value = { tenant: claims.tenant, operator: claims.sub, role: claims.role, demo: false };
}

export function signOut(): void {
  token = '';
  endsAt = 0;
  identity.value = null;
}

async function renew(): Promise<string> {
  const operator = new URLSearchParams(location.search).get('as');
  const response = await fetch('/page/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operator === null ? {} : { operator }),
    cache: 'no-store',
  });
  if (response.status >= 500) throw new Error('the engine does not answer');
  if (!response.ok) {
    signOut();
    throw new SignedOut();
  }
  const given = (await response.json()) as PageToken;
  token = given.token;
  endsAt = Date.now() + given.valid_s * 1_000;
  const known = identity.peek();
  if (known?.operator !== given.operator || known.tenant !== given.tenant) {
    identity.value = { tenant: given.tenant, operator: given.operator, role: given.role, demo: true };
  }
  return token;
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
