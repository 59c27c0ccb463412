// The stream of events and logs, windowed: only the rows that can be seen are there.

import { at, button, change, h, perFrame, say } from './dom.js';
import { count } from './format.js';
import { KINDS, line } from './lines.js';
import { lab, on } from './state.js';

/** The number of lines that are kept. */
const KEPT = 2000;

/** Lines, oldest first; each has its number. */
let lines = [];
let number = 0;
/** The lines that the filter lets through. */
let shown = [];
const off = new Set();
let wanted = '';
let following = true;

let viewport;
let rows;
let counter;
let draw;
let followAgain;
let height = 0;

/** Fills the pane. */
export function start() {
  draw = perFrame(redraw);
  rows = h('div', { class: 'lines' });
  viewport = h('div', { id: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Events, kernel and daemons', tabindex: '0', onscroll: scrolled }, rows);
  counter = h('span', { class: 'small', id: 'log-count' });
  followAgain = button('Follow ↓', follow, { id: 'log-follow', hidden: true });
  at('stream').append(filters(), viewport, followAgain);
  on('event', take);
  on('past', (past) => {
    [lines, shown] = [[], []];
    past.events.forEach(take);
  });
  new ResizeObserver(draw).observe(viewport);
}

function filters() {
  const toggles = Object.entries(KINDS).map(([kind, name]) =>
    button(name, (event) => toggle(kind, event.currentTarget), { class: 'toggle', 'data-kind': kind, 'aria-pressed': 'true' }));
  const search = h('input', {
    type: 'search', id: 'log-filter', placeholder: 'filter (/)', 'aria-label': 'Show only lines with this text',
    oninput: () => {
      wanted = search.value.toLowerCase();
      refilter();
    },
  });
  return h('div', { class: 'tools', role: 'group', 'aria-label': 'Which lines' }, toggles, search, counter);
}

function toggle(kind, pressed) {
  if (!off.delete(kind)) off.add(kind);
  change(pressed, { 'aria-pressed': String(!off.has(kind)) });
  refilter();
}

const passes = (one) => !off.has(one.kind) && (!wanted || `${one.tag} ${one.text}`.toLowerCase().includes(wanted));

function take(event) {
  const one = { ...line(event), n: (number += 1) };
  lines.push(one);
  if (passes(one)) shown.push(one);
  if (lines.length > KEPT * 1.25) forget();
  draw();
}

/** Forgets the oldest lines, many at once. */
function forget() {
  lines = lines.slice(-KEPT);
  const first = lines[0].n;
  const gone = shown.findIndex((one) => one.n >= first);
  shown = gone < 0 ? [] : shown.slice(gone);
}

function refilter() {
  shown = lines.filter(passes);
  draw();
}

/** Who scrolls back stops following. A pane that becomes smaller has not been scrolled. */
function scrolled() {
  if (viewport.clientHeight === height) {
    following = viewport.scrollTop + viewport.clientHeight >= viewport.scrollHeight - 4;
  }
  draw();
}

function follow() {
  following = true;
  draw();
}

function redraw() {
  if (!viewport.clientHeight) return;
  height = viewport.clientHeight;
  followAgain.hidden = following;
  const high = parseFloat(getComputedStyle(viewport).lineHeight);
  const visible = shown.slice(-KEPT);
  rows.style.height = `${visible.length * high}px`;
  if (following) viewport.scrollTop = visible.length * high;
  const first = Math.max(0, Math.floor(viewport.scrollTop / high) - 4);
  const last = first + Math.ceil(viewport.clientHeight / high) + 8;
  const window = visible.slice(first, last);
  rows.replaceChildren(...window.map((one, index) => row(one, (first + index) * high)));
  say(counter, `${visible.length} of ${Math.min(lines.length, KEPT)}${lab.lost ? `, ${count(lab.lost)} missed` : ''}`);
}

function row(one, top) {
  const made = h('div', { class: 'line', 'data-kind': one.kind, 'data-bad': one.bad, title: one.text },
    h('span', { class: 'time' }, one.t.toFixed(3)),
    h('span', { class: 'tag' }, one.tag),
    h('span', { class: 'what' }, one.text));
  made.style.top = `${top}px`;
  return made;
}

/** Goes to the filter. */
export const focusFilter = () => at('log-filter').focus();
