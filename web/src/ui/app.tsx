// The frame: views, list, conversation, contact; or the way in.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { totals } from '../desk';
import { identity } from '../net/session';
import { route } from '../route';
import { words } from '../words';
import { Viewer } from './bubble';
import { Contact } from './contact';
import { Conversation } from './conversation';
import { Dialogs } from './dialogs';
import { listen } from './keys';
import { List } from './list';
import { Nav, Offline } from './nav';
import { Overview } from './overview';
import { columnOpen, drawerOpen } from './screen';
import { Join, SignIn, joining } from './signin';
import { Toasts } from './toasts';

export function App({ again }: { again: boolean }): JSX.Element {
  useEffect(listen, []);
  if (joining.value) return <Join />;
  if (identity.value === null) return <SignIn again={again} />;
  return <Desk />;
}

function Desk(): JSX.Element {
  const { waiting } = totals.value;
  useEffect(() => {
    document.title = waiting === 0 ? words.name : `(${waiting}) ${words.name}`;
  }, [waiting]);
  const open = route.value.area === 'inbox' && route.value.conversation !== null;
  return (
    <div class="frame" data-open={open ? '' : undefined} data-column={columnOpen.value && open ? '' : undefined}>
      <Offline />
      <Nav />
      <main class="main">
        {route.value.area === 'overview' ? <Overview /> : <Inbox open={open} />}
      </main>
      <Toasts />
      <Dialogs />
      <Viewer />
    </div>
  );
}

function Inbox({ open }: { open: boolean }): JSX.Element {
  return (
    <>
      <List />
      <Conversation />
      {open && <Contact />}
      {open && drawerOpen.value && <div class="shade" onClick={() => (drawerOpen.value = false)} />}
    </>
  );
}
