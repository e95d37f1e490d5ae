// Where the operator is: /inbox/<view>/<conversation>, or /overview. Reload, bookmark and the back button find it again.
import { signal } from '@preact/signals';
import { isView, type View } from './state/views';

export interface Route {
  readonly area: 'inbox' | 'overview';
  readonly view: View;
  readonly conversation: string | null;
}

const FIRST: Route = { area: 'inbox', view: 'all', conversation: null };

function parse(): Route {
  const [, area, view, conversation] = location.pathname.split('/');
  if (area === 'overview') return { ...FIRST, area };
  if (area !== 'inbox' || view === undefined || !isView(view)) return FIRST;
  return { area, view, conversation: conversation === undefined || conversation === '' ? null : conversation };
}

export const route = signal<Route>(parse());

/** To somewhere in the inbox, unless another area is named. */
export function go(to: Partial<Route>, how: 'push' | 'replace' = 'push'): void {
  const before = route.peek();
  const next: Route = { ...before, area: 'inbox', ...to };
  if (next.area === before.area && next.view === before.view && next.conversation === before.conversation) return;
  const path = (next.area === 'overview' ? '/overview' : `/inbox/${next.view}${next.conversation === null ? '' : `/${next.conversation}`}`) + location.search;
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  route.value = next;
}

addEventListener('popstate', () => (route.value = parse()));
