// What is known of the lab, and who wants to know when it changes.

/**
 * The types are those of `simulator/live/src/api`: Past, Status, Tick, Event.
 *
 * @typedef {'connecting'|'connected'|'lost'|'silent'|'refused'|'ended'} Connection
 */
export const lab = {
  /** The last status, or null before the first. */
  status: null,
  /** @type {Connection} */
  connection: 'connecting',
  /** Why the lab has failed, if it has. */
  error: null,
  /** How many messages were lost because the page was too slow. */
  lost: 0,
  /** The JSON Schema of the scenario language, once it is here. */
  language: null,
  /** The things that an act was asked for and has not yet come of, with the time of asking. */
  pending: new Map(),
};

const followers = new Map();

/** Calls `follower` with each message of this kind: past, status, tick, event, lost, connection, language, pending, theme. */
export function on(kind, follower) {
  if (!followers.has(kind)) followers.set(kind, []);
  followers.get(kind).push(follower);
}

/** Hands a message to all who want it. A follower that fails must not stop the others. */
export function tell(kind, message) {
  for (const follower of followers.get(kind) ?? []) {
    try {
      follower(message);
    } catch (error) {
      console.error(error);
    }
  }
}

const heard = { t: 0, at: 0 };

/** Notes that the lab's clock showed `t` just now. */
export function heardTime(t) {
  heard.t = t;
  heard.at = performance.now();
}

/** The story time by estimate: time goes on between messages, but not far. */
export function now() {
  if (lab.status?.clock.state !== 'running' || lab.connection !== 'connected') return heard.t;
  return heard.t + Math.min((performance.now() - heard.at) / 1000, 1);
}

/** Where in the picture something is: the daemons are in the host. */
const pictured = (thing) => (thing === 'multipathd' ? 'host' : thing);

/** What is broken about a thing of the picture: `host`, `controller A`, `port A0`, `hba0:A0`, `lun 0`. */
export const brokenAt = (name) => (lab.status?.broken ?? []).filter(({ thing }) => pictured(thing) === name);

/** Marks a thing at once when an act is asked for; `settle` ends it. */
export function expectChange(thing) {
  if (!thing) return;
  lab.pending.set(thing, performance.now());
  tell('pending', thing);
}

/** Nothing more is expected of a thing. */
export function settle(thing) {
  if (lab.pending.delete(thing)) tell('pending', thing);
}
