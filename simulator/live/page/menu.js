// What can be done to a thing: opens at the thing, in the words of the language.

import { act, undoOf } from './acts.js';
import { button, h } from './dom.js';
import { lasting } from './format.js';
import { input } from './form.js';
import { errorAt } from './notices.js';
import { brokenAt, now } from './state.js';
import { ctl, lines, oneLine } from './toml.js';
import { every, quick } from './words.js';

let menu = null;

/** Closes the menu; the focus goes back to the thing. */
export function closeMenu() {
  if (!menu) return;
  const { box, anchor } = menu;
  const inside = box.contains(document.activeElement);
  menu = null;
  box.remove();
  if (inside) anchor.focus();
}

/** Opens the menu of a thing at its picture. */
export function openMenu(name, anchor) {
  closeMenu();
  const box = h('div', { id: 'menu', role: 'dialog', 'aria-label': `What can be done to ${name}`, 'data-of': name });
  menu = { box, anchor };
  const body = h('div', { class: 'body' }, mending(name), quickly(name), slowly(name));
  box.append(h('div', { class: 'head' }, h('h2', {}, name), button('✕', closeMenu, { 'aria-label': 'Close', class: 'plain' })), body);
  box.addEventListener('keydown', steer);
  document.body.append(box);
  place(box, anchor);
  body.querySelector('button')?.focus();
}

/** What is broken about it, with its undo. */
function mending(name) {
  return brokenAt(name).map((broken) => {
    const mend = undoOf(broken);
    const label = `Undo: ${broken.what}, ${lasting(now() - broken.since)}`;
    return mend && entry({ ...mend, label, kind: 'undo' }, name);
  });
}

function quickly(name) {
  return quick(name).map(({ label, step }) =>
    entry({ label, toml: oneLine(step), ctl: ctl(step), run: () => act(step, name) }, name));
}

/** An entry: what it does, the command and the step that it is. */
function entry({ label, toml, ctl: command, kind, run }, name) {
  return h('button', {
    type: 'button', class: `entry ${kind ?? ''}`, 'data-toml': toml, 'data-ctl': command,
    onclick: () => carryOut(run, name),
  }, h('span', { class: 'label' }, label), h('code', { class: 'toml' }, toml || command), toml ? h('code', { class: 'command' }, `$ ${command}`) : null);
}

/** Closes the menu and does it. If it is refused the menu is there again, with the reason. */
async function carryOut(run, name) {
  const { anchor } = menu;
  closeMenu();
  try {
    await run();
  } catch (error) {
    if (menu) closeMenu();
    openMenu(name, anchor);
    errorAt(menu.box, error);
    place(menu.box, anchor);
  }
}

/** Every act of the language about such a thing, each with a form that opens. */
function slowly(name) {
  const acts = every(name);
  if (!acts.length) return null;
  return [
    h('h3', {}, 'Every act, with its settings'),
    acts.map((one) => {
      const details = h('details', { 'data-word': one.word },
        h('summary', { title: one.help }, h('code', {}, one.word), ' ', h('span', { class: 'small' }, one.help)));
      details.addEventListener('toggle', () => {
        if (details.open && details.childElementCount === 1) details.append(form(one, name));
        if (menu) place(menu.box, menu.anchor);
        if (details.open) details.scrollIntoView({ block: 'nearest' });
      });
      return details;
    }),
  ];
}

/** The form of an act, with the step and the command that it is at the moment. */
function form(one, name) {
  const toml = h('pre', { class: 'toml' });
  const command = h('code', { class: 'command' });
  const inputs = one.fields.map((field) => [field.name, input(field, one.given[field.name], show)]);
  const step = () => Object.fromEntries(
    inputs.map(([key, of]) => [key, of.read()]).filter(([key, value]) => value !== undefined || key === one.word)
      .map(([key, value]) => [key, value ?? '']));
  function show() {
    toml.textContent = lines(step());
    command.textContent = `$ ${ctl(step())}`;
  }
  show();
  const made = h('form', {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await act(step(), name);
        closeMenu();
      } catch (error) {
        errorAt(made, error);
      }
    },
  }, inputs.map(([, of]) => of.node), toml, command, h('button', { class: 'do' }, `Do: ${one.word}`));
  return made;
}

/** Puts the menu beside its thing, inside the window. */
function place(box, anchor) {
  const of = (anchor.querySelector?.('.chip rect') ?? anchor).getBoundingClientRect();
  const gap = 8;
  const { offsetWidth: w, offsetHeight: hgt } = box;
  const right = of.right + gap + w < innerWidth;
  const x = right ? of.right + gap : Math.max(gap, of.left - gap - w);
  box.style.left = `${Math.min(x, innerWidth - w - gap)}px`;
  box.style.top = `${Math.max(gap, Math.min(of.top, innerHeight - hgt - gap))}px`;
}

/** Up and down go from entry to entry; Escape closes. */
function steer(event) {
  if (event.key === 'Escape') {
    event.stopPropagation();
    return closeMenu();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || ['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName)) return;
  event.preventDefault();
  const stops = [...menu.box.querySelectorAll('button, summary')];
  stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length]?.focus();
}

addEventListener('pointerdown', (event) => {
  if (menu && !menu.box.contains(event.target) && !menu.anchor.contains(event.target)) closeMenu();
});
