// Where the operator is: /inbox/<view>/<conversation>. Reload, bookmark and the back button find it again.
import { signal } from '@preact/signals';
import { isView, type View } from './state/views';

export interface Route {
  readonly view: View;
  readonly conversation: string | null;
}

const FIRST: Route = { view: 'all', conversation: null };

function parse(): Route {
  const [, area, view, conversation] = location.pathname.split('/');
  if (area !== 'inbox' || view === undefined || !isView(view)) return FIRST;
  return { view, conversation: conversation === undefined || conversation === '' ? null : conversation };
}

export const route = signal<Route>(parse());

export function go(to: Partial<Route>, how: 'push' | 'replace' = 'push'): void {
  const next = { ...route.peek(), ...to };
  if (next.view === route.peek().view && next.conversation === route.peek().conversation) return;
  const path = `/inbox/${next.view}${next.conversation === null ? '' : `/${next.conversation}`}${location.search}`;
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  route.value = next;
}

addEventListener('popstate', () => (route.value = parse()));
