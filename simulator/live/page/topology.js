// The picture of the SAN.

import { at, change, perFrame, s } from './dom.js';
import { count, lasting } from './format.js';
import {
  GROUPS, MARKS, controllerHealth, controllerOf, hue, linkGroup, linkHealth, linkState, lunHealth, pathsOf, portState,
} from './health.js';
import { layout, least, nearest } from './layout.js';
import { lunParts, lunWords } from './lunbox.js';
import { openMenu } from './menu.js';
import { lunRate, pathRate } from './rates.js';
import { badge, box, fit, hatch, patterns, text } from './shapes.js';
import { brokenAt, lab, now, on } from './state.js';

let svg;
let place;
let shape = '';
/** The group of each thing, by its name. */
const things = new Map();

/** Draws the picture, and again whenever something is different. */
export function start() {
  place = at('topology');
  svg = s('svg', { role: 'group', 'aria-label': 'Host, links, controllers, LUNs' });
  place.append(svg);
  const draw = perFrame(redraw);
  for (const kind of ['status', 'pending', 'tick', 'connection']) on(kind, draw);
  setInterval(draw, 500);
  new ResizeObserver(draw).observe(place);
  svg.addEventListener('keydown', steer);
}

function redraw() {
  const { status } = lab;
  if (!status || !place.clientWidth) return;
  // Rounded down: a picture that is higher by a part of a pixel would bring a scroll bar.
  const height = Math.floor(place.getBoundingClientRect().height);
  const em = sizeOfText(status, height);
  const picture = layout(status, place.clientWidth, height, em);
  reshape(picture, em);
  drawHost(picture, em);
  for (const link of picture.links) drawLink(link, em);
  for (const array of picture.arrays) drawArray(array, em);
  if (picture.witness) drawWitness(picture.witness, em);
  for (const controller of picture.controllers) {
    drawController(controller, em);
    for (const port of controller.ports) drawPort(port, em);
  }
  for (const own of picture.owns) drawOwner(own);
  for (const lun of picture.luns) drawLun(lun, em);
}

/** What fits without a change, in sizes of the text, and how much a larger picture may take from what is below it. */
const FITS = 17;
const LARGEST_SHARE = 1.8;
/** The smallest text, as a part of the page's. */
const SMALLEST = 0.7;

/** A SAN of several arrays gets more room, and then a smaller text. What does not fit then is scrolled. */
function sizeOfText(status, height) {
  const needs = least(status);
  const share = Math.min(Math.max(needs / FITS, 1), LARGEST_SHARE);
  document.documentElement.style.setProperty('--san-share', `${share}fr`);
  const usual = parseFloat(getComputedStyle(place).fontSize);
  const em = Math.min(Math.max(height / needs, usual * SMALLEST), usual);
  svg.style.fontSize = `${em}px`;
  return em;
}

/** Makes the groups anew if there are other things, or they are elsewhere. */
function reshape(picture, em) {
  const names = namesOf(picture);
  const next = JSON.stringify([names, picture.width, picture.height, em]);
  if (next === shape) return;
  shape = next;
  const focused = document.activeElement?.dataset?.thing;
  for (const [name, thing] of things) if (!names.includes(name)) things.delete(name) && thing.remove();
  change(svg, { viewBox: `0 0 ${picture.width} ${picture.height}`, width: picture.width, height: picture.height });
  const layers = [
    patterns(),
    ...picture.owns.map((own) => thing(`owner of lun ${own.lun}`)),
    thing('host'),
    ...picture.hbas.map((hba) => thing(hba.name)),
    ...picture.arrays.map((one) => thing(`array ${one.array}`)),
    ...(picture.witness ? [thing('witness')] : []),
    ...picture.links.map((link) => thing(link.path)),
    ...picture.controllers.flatMap((one) => [thing(`controller ${one.controller}`), ...one.ports.map((port) => thing(`port ${port.port}`))]),
    ...picture.luns.map((lun) => thing(`lun ${lun.lun}`)),
  ];
  for (const one of things.values()) one.drawn = null;
  svg.replaceChildren(...layers);
  if (focused) things.get(focused)?.focus();
}

const namesOf = (picture) => [
  'host',
  ...picture.hbas.map((hba) => hba.name),
  ...picture.links.map((link) => link.path),
  ...picture.arrays.map((one) => `array ${one.array}`),
  ...(picture.witness ? ['witness'] : []),
  ...picture.controllers.flatMap((one) => [`controller ${one.controller}`, ...one.ports.map((port) => `port ${port.port}`)]),
  ...picture.luns.flatMap((lun) => [`lun ${lun.lun}`, `owner of lun ${lun.lun}`]),
];

/** The group of a thing: a button, but for lines that only show who owns what. */
function thing(name) {
  const there = things.get(name);
  if (there) return there;
  const open = () => openMenu(name, made);
  const made = name.startsWith('owner of')
    ? s('g', { 'aria-hidden': 'true' })
    : s('g', {
      role: 'button', tabindex: '0', 'aria-haspopup': 'dialog', 'data-thing': name, onclick: open,
      onkeydown: (event) => {
        if (event.key !== 'Enter' && (event.key !== ' ' || lab.status?.tour)) return;
        event.preventDefault();
        open();
      },
    });
  things.set(name, made);
  return made;
}

/** Draws a thing if it is not as it was drawn last. */
function draw(name, model, attributes, build) {
  const group = things.get(name);
  const broken = brokenAt(name).map((one) => one.what);
  const pending = lab.pending.has(name);
  change(group, { 'data-pending': pending, 'data-broken': broken.length > 0, ...attributes });
  const next = JSON.stringify([model, attributes]);
  if (group.drawn === next) return;
  group.drawn = next;
  group.replaceChildren(...build().flat(Infinity).filter(Boolean));
}

/** How long ago the first of what is broken about a thing began; `` if nothing is. */
function since(name) {
  const times = brokenAt(name).map((one) => one.since);
  return times.length ? lasting(now() - Math.min(...times)) : '';
}

function drawHost(picture, em) {
  const { host } = picture;
  const { lab: of } = lab.status;
  const broken = since('host');
  draw('host', [of.image, of.kernel, of.manager, broken, host], {
    'data-health': broken ? 'bad' : 'good',
    'aria-label': `host, ${of.image}, ${of.manager}${broken ? ', broken' : ''}`,
  }, () => [
    box(host, { class: 'body' }),
    text(host.x + em * 0.7, host.y + em * 1.4, 'host', { class: 'name' }),
    text(host.x + em * 0.7, host.y + em * 2.6, fit(of.manager, host.w - em, em * 0.85), { class: 'small' }),
    badge(host.x + host.w - em * 0.4, host.y + em * 1.1, broken, em),
  ]);
  for (const hba of picture.hbas) drawHba(hba, em);
}

function drawHba(hba, em) {
  const broken = since(hba.name);
  draw(hba.name, [hba, broken], {
    'data-state': broken ? 'broken' : 'up',
    'data-health': broken ? 'bad' : 'good',
    'aria-label': `HBA ${hba.hba}${broken ? `, broken since ${broken}` : ''}`,
  }, () => [
    box(hba, { class: 'body' }),
    text(hba.x + hba.w / 2, hba.y + hba.h / 2 + em * 0.35, hba.name, { class: 'name', 'text-anchor': 'middle' }),
    badge(hba.x + hba.w - 4, hba.y, broken, em),
  ]);
}

function drawLink(link, em) {
  const paths = pathsOf(lab.status, link.path);
  const state = linkState(link, paths);
  const group = linkGroup(paths);
  const rate = pathRate(link.path);
  const level = rate.io > 0 ? Math.min(3, 1 + Math.floor(Math.log10(Math.max(rate.io, 1)))) : 0;
  const broken = since(link.path);
  const words = `path ${link.path}, ${state}, ${GROUPS[group] ?? 'no'} path group, ${Math.round(rate.io)} I/Os a second`;
  draw(link.path, [link, broken, level, rate.io ? count(rate.io) : ''], {
    'data-state': state,
    'data-group': group || 'none',
    'data-health': linkHealth(state),
    'data-hue': hue(controllerOf(link.port)),
    'aria-label': words + (broken ? `, broken since ${broken}` : ''),
  }, () => [
    s('path', { d: link.d, class: 'touch' }),
    s('path', { d: link.d, class: 'line' }),
    flow(link.d, lab.status.clock.state === 'paused' ? 0 : level, state),
    chip(link, state, rate, broken, em),
  ]);
}

/** The moving marks of traffic. They begin where they would be by now, so that drawing again does not make them jump. */
function flow(d, level, state) {
  if (!level || state === 'down') return null;
  const path = s('path', { d, class: 'flow', 'data-level': level });
  path.style.animationDelay = `${-(performance.now() % 60000)}ms`;
  return path;
}

/** The name of a link and its traffic, on the line. */
function chip(link, state, rate, broken, em) {
  const crowded = lab.status.links.length > 8;
  const label = crowded && rate.io < 0.5 ? '' : `${link.path}${rate.io >= 0.5 ? `  ${count(rate.io)}/s` : ''}`;
  const mark = MARKS[linkHealth(state)];
  const all = broken ? `${link.path}  ${broken}` : label;
  const w = em * (all ? 1.9 + all.length * 0.5 : 1.4);
  const { y } = link.chip;
  const x = Math.min(link.chip.x, link.to.x - w / 2 - em * 0.4);
  return s('g', { class: 'chip' },
    s('rect', { x: x - w / 2, y: y - em * 0.72, width: w, height: em * 1.44, rx: em * 0.72 }),
    text(x - w / 2 + em * 0.5, y + em * 0.32, mark, { class: 'mark' }),
    text(x - w / 2 + em * 1.5, y + em * 0.32, all, { class: 'small' }));
}

/** The frame around the controllers of one of several arrays. */
function drawArray(array, em) {
  const name = `array ${array.array}`;
  const broken = since(name);
  const words = `${name}${array.isolated ? ', isolated' : ''}`;
  draw(name, [array, broken], {
    'data-state': array.isolated ? 'isolated' : 'connected',
    'data-health': array.isolated ? 'bad' : 'good',
    'aria-label': `${words}, ${array.identity}`,
  }, () => [
    box(array, { class: 'body frame' }),
    text(array.x + em * 0.7, array.y + em * 1.2, fit(words, array.w - em * 1.4, em * 0.85), { class: 'small' }),
    badge(array.x + array.w - em * 0.4, array.y + em * 0.4, broken, em),
  ]);
}

function drawWitness(witness, em) {
  const broken = since('witness');
  draw('witness', [witness, broken], {
    'data-state': witness.there ? 'there' : 'lost',
    'data-health': witness.there ? 'good' : 'bad',
    'aria-label': `witness, ${witness.there ? 'there' : 'lost'}${broken ? ` since ${broken}` : ''}`,
  }, () => [
    box(witness, { class: 'body' }),
    text(witness.x + em * 0.8, witness.y + em * 1.25, `${MARKS[witness.there ? 'good' : 'bad']} witness`, { class: 'small' }),
    badge(witness.x + witness.w - em * 0.4, witness.y + em * 0.3, broken, em),
  ]);
}

function drawController(controller, em) {
  const name = `controller ${controller.controller}`;
  const health = controllerHealth(controller.state);
  const owned = lab.status.luns.filter((lun) => lun.owner === controller.controller).map((lun) => lun.lun);
  const broken = since(name) || (health === 'good' ? '' : lasting(now() - controller.since));
  const right = controller.x + controller.w - em * 0.6;
  draw(name, [controller, broken, owned.length], {
    'data-state': controller.state,
    'data-health': health,
    'data-hue': hue(controller.controller),
    'aria-label': `${name}, ${controller.state}${broken ? ` since ${broken}` : ''}, owns ${owned.length} LUNs`,
  }, () => [
    box(controller, { class: 'body' }),
    hatch(controller, health),
    s('rect', { class: 'spine', x: controller.x + controller.w - 5, y: controller.y + 6, width: 5, height: controller.h - 12, rx: 2 }),
    text(controller.x + em * 0.8, controller.y + em * 1.55, name, { class: 'name big' }),
    badge(right + em * 0.3, controller.y + em * 0.45, broken, em, false, controller.w < em * 12.5),
    text(right - em * 0.2, controller.y + controller.h / 2 + em * 0.9, `${MARKS[health]} ${controller.state}`, { class: 'state', 'text-anchor': 'end' }),
    text(right - em * 0.2, controller.y + controller.h / 2 + em * 2.2, owned.length === 1 ? 'owns 1 LUN' : `owns ${owned.length} LUNs`, { class: 'small', 'text-anchor': 'end' }),
  ]);
}

function drawPort(port, em) {
  const name = `port ${port.port}`;
  const state = portState(port);
  const health = state === 'up' ? 'good' : 'bad';
  const broken = since(name);
  draw(name, [port, broken], {
    'data-state': state,
    'data-health': health,
    'aria-label': `${name}, ${state}${broken ? ` since ${broken}` : ''}`,
  }, () => [
    box(port, { class: 'body' }),
    hatch(port, health),
    text(port.x + em * 0.45, port.y + port.h / 2 + em * 0.35, MARKS[health], { class: 'mark' }),
    text(port.x + em * 1.5, port.y + port.h / 2 + em * 0.35, port.port, { class: 'name' }),
    badge(port.x + port.w + em * 1.6, port.y + em * 0.1, broken, em, true),
  ]);
}

function drawOwner(own) {
  const attributes = { 'data-hue': hue(own.owner), class: 'owns' };
  draw(`owner of lun ${own.lun}`, own, attributes, () => [
    own.preferred && s('path', { d: own.preferred, class: 'preferred' }),
    own.d && s('path', { d: own.d, class: 'owner' }),
  ]);
}

function drawLun(lun, em) {
  const name = `lun ${lun.lun}`;
  const workload = lab.status.workloads.find((one) => one.lun === lun.lun);
  const stalled = workload?.stalled_since ?? null;
  const health = lunHealth(lun, stalled !== null);
  const stall = stalled === null ? '' : `no I/O for ${lasting(now() - stalled)}`;
  const broken = since(name);
  const rate = lunRate(lun.lun);
  draw(name, [lun, broken, stall, Math.round(rate)], {
    'data-state': stall ? 'stalled' : lun.condition ?? (lun.split ? `split ${lun.split}` : 'normal'),
    'data-owner': lun.owner,
    'data-health': health,
    'data-hue': hue(lun.owner),
    'aria-label': lunWords(lun, stall, broken),
  }, () => lunParts(lun, { health, stall, broken, rate }, em));
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Arrow keys go to the next thing in their direction. */
function steer(event) {
  const way = ARROWS[event.key];
  const from = event.target.closest?.('[data-thing]');
  if (!way || !from) return;
  event.preventDefault();
  const centre = (group) => {
    const of = (group.querySelector('.chip rect') ?? group).getBoundingClientRect();
    return { x: of.x + of.width / 2, y: of.y + of.height / 2, group };
  };
  const others = [...svg.querySelectorAll('[data-thing]')].filter((one) => one !== from).map(centre);
  nearest(others, centre(from), ...way)?.group.focus();
}
