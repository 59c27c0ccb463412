// Keys as a terminal sends them. Pure.

const FINAL = { ArrowUp: 'A', ArrowDown: 'B', ArrowRight: 'C', ArrowLeft: 'D', Home: 'H', End: 'F' };
const TILDE = { Insert: 2, Delete: 3, PageUp: 5, PageDown: 6, F5: 15, F7: 18, F8: 19, F9: 20, F10: 21, F12: 24 };
const SS3 = { F1: 'P', F2: 'Q', F3: 'R', F4: 'S' };
const PLAIN = { Enter: '\r', Backspace: '\x7f', Escape: '\x1b', Tab: '\t' };

/** What xterm sends for a key; null if the key is text, or not for the terminal. */
export function sequence({ key, ctrlKey, altKey, shiftKey, metaKey }) {
  if (metaKey) return null;
  const modifier = 1 + Number(shiftKey) + 2 * Number(altKey) + 4 * Number(ctrlKey);
  if (key === 'Tab' && shiftKey) return '\x1b[Z';
  if (key in PLAIN) return (altKey ? '\x1b' : '') + PLAIN[key];
  if (key in FINAL) return modifier > 1 ? `\x1b[1;${modifier}${FINAL[key]}` : `\x1b[${FINAL[key]}`;
  if (key in TILDE) return modifier > 1 ? `\x1b[${TILDE[key]};${modifier}~` : `\x1b[${TILDE[key]}~`;
  if (key in SS3) return modifier > 1 ? `\x1b[1;${modifier}${SS3[key]}` : `\x1bO${SS3[key]}`;
  if ([...key].length !== 1) return null;
  if (ctrlKey) {
    const code = control(key);
    return code === null ? null : (altKey ? '\x1b' : '') + code;
  }
  return altKey ? `\x1b${key}` : null;
}

/** The control character of a key. */
function control(key) {
  const upper = key.toUpperCase();
  if (upper >= '@' && upper <= '_') return String.fromCharCode(upper.charCodeAt(0) - 64);
  return { ' ': '\0', '?': '\x7f', '/': '\x1f' }[key] ?? null;
}
