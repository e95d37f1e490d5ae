// A small menu beside what opened it: arrows move, a click elsewhere closes it, and the focus goes back to where it was.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { menu } from './screen';

export function Menu({ label, kind, children }: { label: string; kind?: string; children: ComponentChildren }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    list.current?.querySelector('button')?.focus();
    const outside = (event: PointerEvent): void => {
      const place = list.current?.parentElement;
      if (event.target instanceof Node && place?.contains(event.target) !== true) menu.value = null;
    };
    document.addEventListener('pointerdown', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const all = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = all.findIndex((one) => one === document.activeElement);
    all[(at + by + all.length) % all.length]?.focus();
  };
  return (
    <div class={`menu ${kind ?? ''}`} role="menu" aria-label={label} ref={list} onKeyDown={move}>
      {children}
    </div>
  );
}
