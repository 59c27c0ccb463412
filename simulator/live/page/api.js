// Asking the lab. What it refuses is thrown as a `Refused`.

/** What the lab refuses, with its reason in words; `message` may have lines with carets. */
class Refused extends Error {
  constructor(why, message) {
    super(message);
    this.why = why;
  }
}

async function ask(method, path, body) {
  const options = { method, credentials: 'same-origin' };
  if (body !== undefined) {
    options.headers = { 'content-type': 'application/json' };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused('gone', 'The lab does not answer.');
  }
  if (response.ok) return (response.headers.get('content-type') ?? '').includes('json') ? response.json() : response.text();
  const text = await response.text();
  throw refusal(response.status, text);
}

function refusal(status, text) {
  try {
    const { why, message } = JSON.parse(text);
    if (message) return new Refused(why, message);
  } catch {
    // Not the lab's answer: what follows says what it is.
  }
  if (status === 401) return new Refused('token', 'This browser may not use the lab. Open the address that sansim has printed, with its token.');
  return new Refused('failed', text.trim() || `The lab answered with HTTP status ${status}.`);
}

export const get = (path) => ask('GET', path);
export const post = (path, body = {}) => ask('POST', path, body);
export const remove = (path) => ask('DELETE', path);
