// Steps as TOML, and as words of `sansim ctl`.

/** A value that is TOML already. */
export class Raw {
  constructor(text) {
    this.text = text;
  }
}

/** A text in quotes, with what TOML escapes escaped. */
const quoted = (text) =>
  JSON.stringify(text).replace(/\u007f/g, '\\u007f');

/** A key, in quotes if it is not bare. */
const key = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name));

/** A value on one line. */
function value(of) {
  if (of instanceof Raw) return of.text;
  if (Array.isArray(of)) return `[${of.map(value).join(', ')}]`;
  if (typeof of === 'string') return quoted(of);
  if (of !== null && typeof of === 'object') {
    const pairs = Object.entries(of).map(([name, inner]) => `${key(name)} = ${value(inner)}`);
    return pairs.length ? `{ ${pairs.join(', ')} }` : '{}';
  }
  return String(of);
}

/** The keys of a table, one a line, as below its header in a file. */
export const lines = (table) =>
  Object.entries(table).map(([name, inner]) => `${key(name)} = ${value(inner)}`).join('\n');

/** The same on one line, for reading. */
export const oneLine = (table) => lines(table).replaceAll('\n', ', ');

/** A word for a shell, in quotes if it needs them. */
const shell = (word) => (/^[A-Za-z0-9_./:=%+,@{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A value as one word. */
const word = (of) => (typeof of === 'string' ? of : value(of));

/** Keys and values as words: `lun=0 controller=B`; a key of a table in a table has a dot. */
const pairs = (table, before = '') =>
  Object.entries(table).flatMap(([name, inner]) =>
    isTable(inner) ? pairs(inner, `${before}${name}.`) : [`${before}${name}=${word(inner)}`]);

const isTable = (of) => of !== null && typeof of === 'object' && !Array.isArray(of) && !(of instanceof Raw);

/** The words of a step's value: `controller A`, `lun=0 controller=B`. */
function words(of) {
  if (isTable(of)) return pairs(of);
  if (typeof of === 'string' && /^(controller|array) /.test(of)) return of.split(' ');
  return Array.isArray(of) ? of.map(word) : [word(of)];
}

const command = (...parts) => ['sansim', 'ctl', ...parts].map(shell).join(' ');

/** The command that a step is. The first key is the word of the language. */
export function ctl(step) {
  const [[name, first], ...others] = Object.entries(step);
  return command(name, ...words(first), ...pairs(Object.fromEntries(others)));
}

/** The command that a fault rule is. */
export function ctlFault({ when, then, ...head }) {
  const caught = when ? ['when', ...pairs(when)] : [];
  return command('fault', 'add', ...pairs(head), ...caught, 'then', ...pairs(then));
}

/** The command that starts a workload. */
export const ctlWorkload = (table) => command('io', 'start', ...pairs(table));
