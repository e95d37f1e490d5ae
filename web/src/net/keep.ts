// What survives a reload: drafts, sends that were not taken yet, and this browser's choices. Nothing secret.

function guarded<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    // A browser that keeps nothing (private window, full disk): the page works, and forgets.
    return otherwise;
  }
}

export function kept(name: string): unknown {
  return guarded((): unknown => JSON.parse(localStorage.getItem(`desk.${name}`) ?? 'null'), null);
}

/** False: it could not be kept. */
export function keep(name: string, value: unknown): boolean {
  return guarded(() => {
    if (value === null || value === '') localStorage.removeItem(`desk.${name}`);
    else localStorage.setItem(`desk.${name}`, JSON.stringify(value));
    return true;
  }, false);
}

export function namesKept(prefix: string): string[] {
  return guarded(() => Object.keys(localStorage).filter((name) => name.startsWith(`desk.${prefix}`)), []).map((name) =>
    name.slice('desk.'.length),
  );
}
