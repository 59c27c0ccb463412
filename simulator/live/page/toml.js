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
export function value(of) {
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

/** The words of a value: `controller A`, `lun=0 controller=B`. */
function words(of) {
  if (of instanceof Raw) return [of.text];
  if (typeof of === 'string') return of.startsWith('controller ') ? of.split(' ') : [of];
  if (Array.isArray(of)) return of.every((one) => typeof one === 'string') ? of : [value(of)];
  if (typeof of !== 'object') return [String(of)];
  return Object.entries(of).map(([name, inner]) =>
    `${name}=${typeof inner === 'string' ? inner : inner instanceof Raw ? inner.text : value(inner)}`);
}

/** The command that a step is. The first key is the word of the language. */
export function ctl(step) {
  const [[word, first], ...others] = Object.entries(step);
  const rest = others.map(([name, inner]) => `${name}=${typeof inner === 'string' ? inner : value(inner)}`);
  return ['sansim', 'ctl', word, ...words(first), ...rest].map(shell).join(' ');
}
