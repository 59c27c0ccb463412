// The text of `multipath -ll`, as new as the maps are.

import { get } from './api.js';
import { at, button, h, say } from './dom.js';
import { clock } from './format.js';
import { lab, on } from './state.js';

/** How often it is asked for while it can be seen, in milliseconds. */
const EVERY = 3000;

let text;
let when;
let asking = false;
let again = false;
let shown = null;

/** Fills the pane. */
export function start() {
  text = h('pre', { id: 'multipath-text', tabindex: '0' });
  when = h('span', { class: 'small' });
  at('multipath').append(h('div', { class: 'tools' }, h('code', { class: 'command' }, '$ multipath -ll'), button('Ask again', refresh), when), text);
  let maps = '';
  on('status', ({ luns }) => {
    const next = JSON.stringify(luns.map((lun) => [lun.map, lun.owner, lun.bytes]));
    if (next !== maps) refresh();
    maps = next;
  });
  setInterval(refresh, EVERY);
}

const visible = () => !at('multipath').hidden && !document.hidden && lab.connection === 'connected' && lab.status?.clock.state !== 'paused';

/** Asks for the text, if it can be seen. One question at a time. */
export async function refresh() {
  if (!visible()) return;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const { t, text: said } = await get('/api/multipath');
    say(when, `at ${clock(Math.max(t, 0))}`);
    if (said !== shown) text.replaceChildren(...marked(said));
    shown = said;
  } catch (error) {
    say(when, error.message);
  }
  asking = false;
  if (again) {
    again = false;
    setTimeout(refresh, 300);
  }
}

/** The text, its states marked. */
function marked(said) {
  return said.split(/\b(failed|faulty|ghost|shaky|active|enabled|offline|i\/o pending|undef)\b/).map((part, index) =>
    index % 2 ? h('span', { class: `is ${part}` }, part) : part);
}
