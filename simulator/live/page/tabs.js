// The panes that share a place, and making a pane large.

import { at, button, change } from './dom.js';
import * as faults from './faults.js';
import * as multipath from './multipath.js';
import * as terminal from './terminal.js';
import * as work from './work.js';

/** The panes, with what each does when it is opened: what is hidden is not drawn. */
const TABS = {
  stream: null, multipath: multipath.refresh, guest: terminal.enter, faults: faults.show, work: work.show, history: null,
};
const NAMES = Object.keys(TABS);

/** Makes the tabs work; the first is open. */
export function start() {
  for (const id of NAMES) {
    const tab = at(`tab-${id}`);
    tab.addEventListener('click', () => open(id));
    tab.addEventListener('keydown', steer);
  }
  for (const pane of document.querySelectorAll('.pane')) {
    const tools = pane.querySelector(':scope > .head > .tools') ?? pane.querySelector('.tabs');
    tools.append(button('⤢', () => enlarge(pane.id), { class: 'plain large', 'aria-label': 'Make this pane large, or small again', title: 'Large (f)', 'aria-pressed': 'false' }));
  }
  show(NAMES[0]);
}

function show(id) {
  for (const one of NAMES) {
    at(one).hidden = one !== id;
    change(at(`tab-${one}`), { 'aria-selected': String(one === id), tabindex: one === id ? '0' : '-1' });
  }
}

/** Opens a pane. */
export function open(id) {
  show(id);
  TABS[id]?.();
}

/** Opens a pane by its number, from 1. */
export function openNth(n) {
  const id = NAMES[n - 1];
  if (!id) return;
  open(id);
  if (id !== 'guest') at(id).focus({ preventScroll: true });
}

function steer(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const now = NAMES.findIndex((id) => !at(id).hidden);
  const next = NAMES[(now + step + NAMES.length) % NAMES.length];
  show(next);
  at(`tab-${next}`).focus();
}

/** Makes a pane as large as the window, or all as they were. */
export function enlarge(id) {
  const root = document.documentElement;
  const large = root.dataset.large === id ? null : id;
  change(root, { 'data-large': large });
  for (const one of document.querySelectorAll('.pane .large')) change(one, { 'aria-pressed': String(one.closest('.pane').id === large) });
}

/** The pane that has the focus, or the picture. */
export const current = () => document.activeElement?.closest?.('.pane')?.id ?? 'san';
