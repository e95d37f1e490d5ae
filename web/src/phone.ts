// Numbers as people read them. North American ones are grouped; others keep their country code and digits.

export function readable(address: string): string {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(address);
  if (american !== null) return `(${american[1] ?? ''}) ${american[2] ?? ''}-${american[3] ?? ''}`;
  const other = /^(\+\d{2})(\d{3,4})(\d{3,4})(\d*)$/.exec(address);
  return other === null ? address : other.slice(1).filter((part) => part !== '').join(' ');
}
