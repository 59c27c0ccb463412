// Shapes of the picture.

import { s } from './dom.js';

/** A box with round corners. */
export const box = (of, attributes) =>
  s('rect', { x: of.x, y: of.y, width: of.w, height: of.h, rx: 7, ...attributes });
/** A text at a place. */
export const text = (x, y, what, attributes) => s('text', { x, y, ...attributes }, what);

/** The patterns of the boxes. */
export function patterns() {
  const hatch = (id, angle) => s('pattern', { id, width: 8, height: 8, patternUnits: 'userSpaceOnUse', patternTransform: `rotate(${angle})` },
    s('rect', { class: id, width: 3, height: 8 }));
  return s('defs', {}, hatch('hatch-bad', 45), hatch('hatch-busy', -45));
}

/** A pattern over what is not well, for those who do not see its colour. */
export const hatch = (of, health) =>
  health === 'bad' || health === 'busy' ? box(of, { fill: `url(#hatch-${health})`, class: 'hatch' }) : null;

/** A badge: broken since when. */
export function badge(x, y, since, em, small, brief) {
  if (!since) return null;
  const label = brief ? '✕' : `✕ ${since}`;
  const w = em * (1 + label.length * 0.52);
  const hgt = em * (small ? 1.2 : 1.4);
  return s('g', { class: 'badge' },
    s('rect', { x: x - w, y: y - hgt / 2, width: w, height: hgt, rx: hgt / 2 }),
    text(x - w / 2, y + em * 0.32, label, { 'text-anchor': 'middle' }));
}

/** As much of a text as fits, by estimate. */
export function fit(text, width, em) {
  const most = Math.max(3, Math.floor(width / (em * 0.54)));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
