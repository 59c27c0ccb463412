// The stream of the lab's messages, which is opened again whenever it breaks.

import { get } from './api.js';
import { heardTime, lab, tell } from './state.js';

const SHORTEST = 500;
const LONGEST = 5000;
/** After so many tries the lab is likely to have ended. */
const MANY = 6;

let wait = SHORTEST;
let tries = 0;

/** Follows the lab until it has ended. */
export function follow() {
  const source = new EventSource('/api/stream?view=page');
  const read = (name, take) => source.addEventListener(name, (message) => take(JSON.parse(message.data)));
  read('past', (past) => tell('past', past));
  read('status', takeStatus);
  read('tick', (tick) => {
    heardTime(tick.t);
    tell('tick', tick);
  });
  read('event', (event) => tell('event', event));
  read('ended', ({ error }) => {
    lab.error = error;
    end(source);
  });
  read('lost', ({ count }) => {
    lab.lost += count;
    tell('lost', count);
  });
  source.onerror = () => {
    source.close();
    if (lab.connection !== 'ended') again();
  };
}

function takeStatus(status) {
  wait = SHORTEST;
  tries = 0;
  lab.status = status;
  heardTime(status.clock.t);
  connection('connected');
  tell('status', status);
}

async function again() {
  if (tries <= MANY) connection('lost');
  try {
    await get('/api/status');
  } catch (error) {
    if (error.why === 'over') return connection('ended');
    if (error.why === 'token') return connection('refused');
  }
  tries += 1;
  if (tries > MANY) connection('silent');
  setTimeout(follow, wait);
  wait = Math.min(wait * 2, LONGEST);
}

function end(source) {
  source?.close();
  connection('ended');
}

/** Notes that the lab has ended, whoever learned it. */
export const ended = () => end(null);

function connection(state) {
  if (lab.connection === state || lab.connection === 'ended') return;
  lab.connection = state;
  tell('connection', state);
}
