// The guided tour: a caption at the bottom, and the space bar.

import { post } from './api.js';
import { at, button, h } from './dom.js';
import { notice } from './notices.js';
import { lab, on } from './state.js';

/** Shows the tour, if there is one. */
export function start() {
  // After a click the space bar is the tour's, not the button's.
  addEventListener('click', (event) => {
    if (lab.status?.tour && event.detail > 0) event.target.closest?.('button')?.blur();
  });
  let seen = '';
  on('status', ({ tour }) => {
    const next = JSON.stringify(tour);
    if (next === seen) return;
    seen = next;
    at('tour').hidden = !tour;
    if (tour) show(tour);
  });
}

function show(tour) {
  const focused = document.activeElement?.closest?.('#tour button')?.id;
  const auto = button(tour.by_itself ? 'Stop at each' : 'Go on by itself', () => ask(tour.by_itself ? 'manual' : 'auto'), { id: 'tour-auto', 'aria-pressed': String(tour.by_itself) });
  const end = tour.next === null && tour.number === tour.of;
  at('tour').replaceChildren(
    h('div', { class: 'number', 'aria-label': `caption ${tour.number} of ${tour.of}` }, `${tour.number}`, h('small', {}, `/${tour.of}`)),
    h('p', { class: 'caption', 'aria-live': 'polite' }, tour.caption),
    h('div', { class: 'tools' },
      end ? h('span', { class: 'small' }, 'The end of the tour') : button('Next ␣', next, { id: 'tour-next', class: 'do', disabled: !tour.waits }),
      auto,
      tour.next ? h('code', { class: 'toml', title: 'what comes next' }, tour.next) : null));
  if (focused) at(focused)?.focus();
}

async function ask(change) {
  try {
    await post('/api/tour', change);
  } catch (error) {
    notice('bad', error.message);
  }
}

/** Goes on to the next caption. Returns whether there is a tour. */
export function next() {
  if (!lab.status?.tour) return false;
  if (lab.status.tour.waits) ask('next');
  return true;
}
