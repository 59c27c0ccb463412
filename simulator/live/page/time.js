// The clock, and what can be done to time.

import { post } from './api.js';
import { at, button, change, h, perFrame, say } from './dom.js';
import { clock } from './format.js';
import { notice } from './notices.js';
import { lab, now, on } from './state.js';

const STATES = { starting: '… starting', running: '▶ running', paused: '❚❚ paused', skipping: '▶▶ skipping' };

/** Fills the clock and its buttons. */
export function start() {
  const shows = h('span', { class: 't' });
  const state = h('span', { class: 'run' });
  at('clock').append(shows, state);
  const pause = button('Pause', pauseOrResume, { id: 'time-pause', title: 'Pause or resume (p)' });
  const skips = [
    button('+10 s', () => ask({ skip: 10 }), { id: 'time-10', title: 'Skip 10 s (.)' }),
    button('+60 s', () => ask({ skip: 60 }), { id: 'time-60', title: 'Skip 60 s' }),
    button('Next event', toNextEvent, { id: 'time-next', title: 'Skip to the next event (n)' }),
  ];
  at('time').append(pause, ...skips);
  const draw = perFrame(() => {
    say(shows, lab.status ? clock(now()) : '–');
    const of = lab.status?.clock;
    say(state, of ? STATES[of.state] : '');
    change(at('clock'), { 'data-state': of?.state });
    change(document.documentElement, { 'data-time': of?.state });
    say(pause, of?.state === 'paused' ? 'Resume' : 'Pause');
    for (const one of skips) one.hidden = of?.mode !== 'skip';
  });
  setInterval(draw, 100);
  on('status', draw);
}

async function ask(what) {
  try {
    await post('/api/time', what);
  } catch (error) {
    notice('bad', error.message);
  }
}

/** Pauses the lab, or lets it go on. */
export const pauseOrResume = () => ask(lab.status?.clock.state === 'paused' ? 'resume' : 'pause');

/** Skips to the next event, where time can be skipped. */
export const toNextEvent = () => lab.status?.clock.mode === 'skip' && ask('to_next_event');

/** Skips some seconds, where time can be skipped. */
export const skip = (seconds) => lab.status?.clock.mode === 'skip' && ask({ skip: seconds });
