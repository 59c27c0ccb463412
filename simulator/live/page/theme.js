// Dark or light: as the system has it, until somebody chooses.

import { tell } from './state.js';

const KEY = 'sansim-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** What was chosen; a browser may not let us remember. */
function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function apply() {
  document.documentElement.dataset.theme = chosen() ?? now ?? (dark.matches ? 'dark' : 'light');
  tell('theme');
}

let now = null;

/** Follows the system. */
export function start() {
  apply();
  dark.addEventListener('change', apply);
}

/** The other one. */
export function toggle() {
  now = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, now);
  } catch {
    // It is remembered as long as the page is open.
  }
  apply();
}
