// Numbers and times as text.

/** Story time: `12.3 s`; after a quarter of an hour `16:40`. */
export function clock(seconds) {
  if (seconds < 1000) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts;
  const two = (n) => String(n).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** How long something lasts: `now`, `12 s`, `3 min`. */
export function lasting(seconds) {
  if (seconds < 1) return 'now';
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** A latency: `310 µs`, `4.2 ms`, `1.5 s`. */
export function latency(seconds) {
  if (seconds < 1e-6) return '< 1 µs';
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${three(seconds * 1e3)} ms`;
  return `${three(seconds)} s`;
}

/** Three digits, not more. */
const three = (n) => (n < 10 ? n.toFixed(1) : Math.round(n).toString());

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size: `256 MiB`. */
export function size(bytes) {
  let power = 0;
  while (bytes >= 1024 && power < SIZES.length - 1) {
    bytes /= 1024;
    power += 1;
  }
  const text = Number.isInteger(bytes) || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1);
  return `${text} ${SIZES[power]}`;
}

/** A large number of things: `1.2k`. */
export function count(n) {
  if (n < 1000) return String(Math.round(n));
  if (n < 1e6) return `${three(n / 1e3)}k`;
  return `${three(n / 1e6)}M`;
}

/** `1 path`, `2 paths`. */
export const many = (n, thing) => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** How a program ended: `exit code 1`, `killed by SIGSEGV`. */
export const ended = (ran) => (ran.code === null ? `killed by ${ran.killed_by}` : `exit code ${ran.code}`);
