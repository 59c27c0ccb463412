// Shortcuts, and the list of them.

import { at, button, dialog, h, isTyping } from './dom.js';
import { freeze } from './charts.js';
import { focusFilter } from './log.js';
import { closeMenu } from './menu.js';
import { openSave } from './save.js';
import { current, enlarge, open, openNth } from './tabs.js';
import { toggle } from './theme.js';
import { pauseOrResume, skip, toNextEvent } from './time.js';
import { next } from './tour.js';
import { holdOrGo, openReset } from './whole.js';

/** Keys, what they do, and the words for it. */
const KEYS = [
  ['?', 'This list', openHelp],
  ['Space', 'Tour: the next caption', next],
  ['p', 'Pause or resume', pauseOrResume],
  ['.', 'Skip 10 s (skipped time)', () => skip(10)],
  ['n', 'Skip to the next event (skipped time)', toNextEvent],
  ['h', 'Hold acts; again: do them at one time', holdOrGo],
  ['r', 'Reset: undo everything', openReset],
  ['u', 'Undo: go to what is broken', () => at('broken').querySelector('button')?.focus()],
  ['s', 'Save the story as a scenario', openSave],
  ['g', 'Go to the picture; arrows go from thing to thing, Enter opens', () => at('topology').querySelector('[data-thing^="controller"]')?.focus()],
  ['/', 'Filter the stream', () => {
    open('stream');
    focusFilter();
  }],
  ['t', 'Terminal; F6 leaves it', () => open('guest')],
  ['z', 'Freeze the charts', freeze],
  ['f', 'This pane large, or small again', () => enlarge(current())],
  ['d', 'Dark or light', toggle],
];
const PLACES = ['#whole button', '#topology [data-thing]', '#broken button', '#charts canvas', '#dock [aria-selected="true"]'];

/** Listens to the keys. */
export function start() {
  at('view').append(
    button('◐', toggle, { id: 'theme', 'aria-label': 'Dark or light', title: 'Dark or light (d)' }),
    button('?', openHelp, { id: 'help', 'aria-label': 'Shortcuts', title: 'Shortcuts (?)' }));
  addEventListener('keydown', pressed);
}

function pressed(event) {
  if (event.key === 'F6') return nextPlace(event);
  if (event.key === 'Escape') return escape();
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
  const key = event.key === ' ' ? 'Space' : event.key;
  if (key === 'Space' && event.target.closest?.('button, a, summary, #log')) return;
  const known = KEYS.find(([of]) => of === key);
  if (known) {
    event.preventDefault();
    known[2]();
  } else if (/^[1-6]$/.test(key)) {
    event.preventDefault();
    openNth(Number(key));
  }
}

function escape() {
  closeMenu();
  const { large } = document.documentElement.dataset;
  if (large) enlarge(large);
}

/** F6 goes from part to part, as in other programs. */
function nextPlace(event) {
  event.preventDefault();
  const step = event.shiftKey ? -1 : 1;
  const parts = PLACES.map((one) => document.querySelector(one));
  const part = ['#bar', '#san', '#side', '#charts', '#dock'].findIndex((one) => document.activeElement?.closest?.(one));
  for (let n = 1; n <= parts.length; n += 1) {
    const to = parts[(part + n * step + parts.length * n) % parts.length];
    if (to) return to.focus();
  }
}

function openHelp() {
  dialog('Shortcuts',
    h('table', { class: 'keys' },
      KEYS.map(([key, what]) => h('tr', {}, h('td', {}, h('kbd', {}, key)), h('td', {}, what))),
      h('tr', {}, h('td', {}, h('kbd', {}, '1'), ' – ', h('kbd', {}, '6')), h('td', {}, 'Stream, multipath -ll, terminal, fault rules, workload, history')),
      h('tr', {}, h('td', {}, h('kbd', {}, 'F6')), h('td', {}, 'The next part of the page')),
      h('tr', {}, h('td', {}, h('kbd', {}, 'Esc')), h('td', {}, 'Closes what is open'))),
    h('p', { class: 'legend' }, '● works  ◐ on its way, or in part  ✕ broken.  A frame with marks is a path group: thick current, thin enabled, dashed bypassed.  Access states of port groups: A/O optimized, A/N non-optimized, S standby, T transitioning, U unavailable, O offline, L LBA-dependent.'),
    h('p', { class: 'legend' }, 'Marks in the charts: ▼ step  ◆ activation (MODE SELECT, START STOP UNIT, SET TARGET PORT GROUPS)  ↻ round of pg_init  ! I/O.'),
    h('p', { class: 'small' }, 'Everything here is also a command: sansim ctl --help'));
}
