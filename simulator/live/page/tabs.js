// The panes that share a place, and making a pane large.

import { at, button, change } from './dom.js';
import { enter } from './terminal.js';
import { refresh } from './multipath.js';

const TABS = ['stream', 'multipath', 'guest', 'faults', 'work', 'history'];

/** Makes the tabs work; the first is open. */
export function start() {
  for (const id of TABS) {
    const tab = at(`tab-${id}`);
    tab.addEventListener('click', () => open(id));
    tab.addEventListener('keydown', steer);
  }
  for (const pane of document.querySelectorAll('.pane')) {
    const tools = pane.querySelector(':scope > .head > .tools') ?? pane.querySelector('.tabs');
    tools.append(button('⤢', () => enlarge(pane.id), { class: 'plain large', 'aria-label': 'Make this pane large, or small again', title: 'Large (f)', 'aria-pressed': 'false' }));
  }
  show(TABS[0]);
}

function show(id) {
  for (const one of TABS) {
    at(one).hidden = one !== id;
    change(at(`tab-${one}`), { 'aria-selected': String(one === id), tabindex: one === id ? '0' : '-1' });
  }
}

/** Opens a pane. */
export function open(id) {
  show(id);
  if (id === 'guest') enter();
  if (id === 'multipath') refresh();
}

/** Opens a pane by its number, from 1. */
export function openNth(n) {
  if (!TABS[n - 1]) return;
  open(TABS[n - 1]);
  if (TABS[n - 1] !== 'guest') at(TABS[n - 1]).focus({ preventScroll: true });
}

function steer(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const now = TABS.findIndex((id) => !at(id).hidden);
  const next = TABS[(now + step + TABS.length) % TABS.length];
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
