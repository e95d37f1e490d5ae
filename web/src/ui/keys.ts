// The keyboard: a pressed key answers in the same frame.
import { commands, escape } from './commands';
import { dialog, letters } from './screen';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}

/** A button does its own thing on Enter. */
function isPressed(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary') !== null;
}

export function listen(): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.isComposing || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      dialog.value = dialog.peek() === 'palette' ? null : 'palette';
      return;
    }
    // A dialog closes itself on Escape.
    if (dialog.peek() !== null) return;
    if (event.key === 'Escape') {
      escape();
      return;
    }
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && isPressed(event.target)) return;
    if (event.key.length === 1 && !letters.peek()) return;
    const command = commands.find((one) => one.key === event.key);
    if (command?.can() !== true) return;
    event.preventDefault();
    command.run();
  };
  document.addEventListener('keydown', press);
  return () => document.removeEventListener('keydown', press);
}
