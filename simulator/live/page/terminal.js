// A terminal in the guest. The lab keeps the screen; the page draws its cells and sends keys.

import { at, button, change, h, perFrame, say } from './dom.js';
import { sequence } from './keysequence.js';
import { notice } from './notices.js';

let screen;
let entry;
let line;
let socket = null;
/** What the lab has said last: rows of runs, size, cursor, lines to scroll back. */
const shown = { rows: [], size: [24, 80], cursor: null, scrollback: 0, back: 0 };
/** Rows that are to be drawn. */
const stale = new Set();
let draw;

/** Fills the pane. */
export function start() {
  draw = perFrame(redraw);
  screen = h('div', { id: 'screen', 'aria-hidden': 'true' });
  entry = h('textarea', {
    id: 'typed', 'aria-label': 'Terminal in the guest. F6 leaves it.', autocapitalize: 'off', autocomplete: 'off', spellcheck: 'false',
    onkeydown: pressed, oninput: typed, onpaste: pasted,
  });
  line = h('span', { class: 'small', id: 'terminal-state', role: 'status' });
  at('guest').append(
    h('div', { class: 'tools' }, button('Start again', open, { id: 'terminal-open' }), line),
    h('div', { id: 'terminal', onpointerup: clicked, onwheel: wheel }, screen, entry),
  );
  new ResizeObserver(perFrame(fit)).observe(at('terminal'));
}

/** Goes to the terminal, and opens it the first time. */
export function enter() {
  if (!socket) open();
  entry.focus({ preventScroll: true });
}

/** The size of a cell. */
function cell() {
  const probe = h('span', { class: 'probe' }, 'M'.repeat(20));
  screen.append(probe);
  const { width, height } = probe.getBoundingClientRect();
  probe.remove();
  return { w: width / 20, h: height };
}

/** The rows and columns that there is room for. */
function room() {
  const one = cell();
  const { clientWidth, clientHeight } = at('terminal');
  if (!one.w || !clientHeight) return null;
  const limit = (n, low, high) => Math.max(low, Math.min(high, Math.floor(n)));
  return [limit((clientHeight - 8) / one.h, 4, 200), limit((clientWidth - 12) / one.w, 20, 400)];
}

function open() {
  socket?.close();
  const [rows, columns] = room() ?? shown.size;
  const address = new URL('/api/terminal', location.href);
  address.protocol = 'ws:';
  address.search = new URLSearchParams({ as: 'cells', rows, columns, term: 'xterm-256color' });
  shown.rows = [];
  const mine = new WebSocket(address);
  socket = mine;
  say(line, 'opening…');
  mine.onopen = () => say(line, 'F6 leaves it');
  mine.onmessage = ({ data }) => take(JSON.parse(data));
  mine.onclose = () => {
    if (socket !== mine) return;
    socket = null;
    if (!line.textContent.startsWith('ended')) say(line, 'closed');
  };
  stale.clear();
  draw();
}

function tellLab(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function take(message) {
  if ('ended' in message) {
    say(line, message.ended === null ? 'ended: killed' : `ended with exit code ${message.ended}`);
    return;
  }
  const [rows] = (shown.size = message.size);
  shown.cursor = message.cursor;
  shown.scrollback = message.scrollback;
  shown.back = message.scrolled;
  change(at('terminal'), { 'data-scrolled': shown.back > 0 });
  shown.rows.length = rows;
  for (const [row, runs] of message.lines) {
    if (row < rows) {
      shown.rows[row] = runs;
      stale.add(row);
    }
  }
  draw();
}

function redraw() {
  const [rows] = shown.size;
  while (screen.childElementCount > rows) screen.lastElementChild.remove();
  while (screen.childElementCount < rows) {
    stale.add(screen.childElementCount);
    screen.append(h('div', { class: 'row' }));
  }
  for (const row of stale) screen.children[row]?.replaceChildren(...(shown.rows[row] ?? []).map(run));
  stale.clear();
  drawCursor();
}

/** A run of cells. Its classes are the lab's words for colours and weight. */
function run([text, classes]) {
  const made = h('span', {}, text);
  const words = classes ? classes.split(' ') : [];
  const plain = words.filter((word) => /^(bold|dim|italic|underline|inverse)$/.test(word));
  if (plain.length) made.className = plain.join(' ');
  let [front, back] = [null, null];
  for (const word of words) {
    const [, side, number, rgb] = /^([fb])(?:([0-9]{1,3})|(#[0-9a-f]{6}))$/i.exec(word) ?? [];
    const colour = rgb ?? (number === undefined ? null : indexed(Number(number)));
    if (side === 'f') front = colour;
    if (side === 'b') back = colour;
  }
  if (plain.includes('inverse')) [front, back] = [back ?? 'var(--screen)', front ?? 'var(--screen-text)'];
  if (front) made.style.color = front;
  if (back) made.style.background = back;
  return made;
}

/** A colour of the 256. */
function indexed(n) {
  if (n < 16) return `var(--ansi${n})`;
  if (n >= 232) return `rgb(${Array(3).fill(8 + (n - 232) * 10).join()})`;
  const level = (part) => (part ? 55 + part * 40 : 0);
  const cube = n - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}

function drawCursor() {
  let block = at('cursor');
  if (!shown.cursor) return block?.remove();
  block ??= h('div', { id: 'cursor' });
  if (!block.isConnected) at('terminal').append(block);
  const one = cell();
  const [row, column] = shown.cursor;
  const of = screen.children[row];
  const top = of ? of.offsetTop : row * one.h;
  const place = { left: `${screen.offsetLeft + column * one.w}px`, top: `${top}px` };
  Object.assign(block.style, place, { width: `${one.w}px`, height: `${one.h}px` });
  // An input method shows its choices where the text will be.
  Object.assign(entry.style, place);
}

function fit() {
  const size = room();
  if (!size || !socket || size.join() === shown.asked) return;
  shown.asked = size.join();
  tellLab({ resized: size });
}

function send(text) {
  tellLab({ typed: text });
}

function pressed(event) {
  if (event.isComposing || event.key === 'F6' || event.key === 'F11') return;
  const copies = event.ctrlKey && event.key.toLowerCase() === 'c' && (event.shiftKey || !getSelection().isCollapsed);
  const pastes = event.ctrlKey && event.key.toLowerCase() === 'v' && event.shiftKey;
  if (copies || pastes) return;
  event.stopPropagation();
  if (event.shiftKey && ['PageUp', 'PageDown'].includes(event.key)) {
    event.preventDefault();
    return scrollTo(shown.back + (event.key === 'PageUp' ? 1 : -1) * (shown.size[0] - 1));
  }
  const sent = sequence(event);
  if (sent === null) return;
  event.preventDefault();
  send(sent);
}

/** Text, also of input methods and dead keys. */
function typed() {
  if (entry.value) send(entry.value);
  entry.value = '';
}

/** Pasted lines end as if they had been typed. */
function pasted(event) {
  event.preventDefault();
  const text = event.clipboardData.getData('text');
  if (text.length > 65536) return notice('bad', 'Too much to paste: at most 64 KiB.');
  if (text) send(text.replace(/\r?\n/g, '\r'));
}

/** A click goes to the keyboard's place, but for one that selects. */
function clicked() {
  if (getSelection().isCollapsed) enter();
}

function wheel(event) {
  event.preventDefault();
  scrollTo(shown.back - Math.sign(event.deltaY) * 3);
}

function scrollTo(back) {
  const next = Math.max(0, Math.min(shown.scrollback, back));
  if (next !== shown.back) tellLab({ scrolled: next });
}
