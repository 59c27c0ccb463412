// What was done to the lab, when and by which command.

import { at, h, perFrame } from './dom.js';
import { lab, on } from './state.js';

/** Fills the pane, newest first. */
export function start() {
  const list = h('ol', { id: 'acts' });
  at('history').append(list);
  let seen = '';
  on('status', perFrame(() => {
    const { history } = lab.status;
    const next = JSON.stringify(history.map((one) => [one.t, one.name, one.pending, one.error]));
    if (next === seen) return;
    seen = next;
    list.replaceChildren(...(history.length ? history.map(item).reverse() : [h('li', { class: 'empty' }, 'Nothing was done yet.')]));
  }));
}

function item(did) {
  return h('li', { 'data-act': did.words, 'data-bad': Boolean(did.error) },
    h('span', { class: 'time' }, did.t.toFixed(3)),
    h('span', { class: 'words' }, did.words, did.pending ? h('span', { class: 'tag' }, ' waits') : null),
    h('code', { class: 'command' }, `$ ${did.ctl}`),
    h('code', { class: 'toml' }, did.toml),
    did.error ? h('pre', { class: 'error' }, did.error) : null,
    did.ran ? h('pre', { class: 'ran' }, `exit code ${did.ran.code ?? 'none'}\n${did.ran.stdout}${did.ran.stderr}`) : null);
}
