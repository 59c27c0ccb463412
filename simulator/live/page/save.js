// The story so far as a scenario.

import { post } from './api.js';
import { button, dialog, h, say } from './dom.js';
import { notice } from './notices.js';

/** Shows the saved story, to copy or to download. */
export async function openSave() {
  let saved;
  try {
    saved = await post('/api/save');
  } catch (error) {
    notice('bad', error.message);
    return;
  }
  const copied = h('span', { role: 'status', class: 'small' });
  const text = h('pre', { id: 'saved', class: 'toml', tabindex: '0' }, saved.toml);
  const file = URL.createObjectURL(new Blob([saved.toml], { type: 'application/toml' }));
  const box = dialog('The story so far, as a scenario',
    saved.left_out.length ? h('ul', { class: 'left-out' }, saved.left_out.map((one) => h('li', {}, one))) : null,
    h('div', { class: 'tools' },
      button('Copy', async () => say(copied, (await copy(saved.toml, text)) ? 'copied' : 'selected: copy it with Ctrl+C'), { id: 'save-copy' }),
      h('a', { href: file, download: 'story.toml', id: 'save-download', class: 'button' }, 'Download'), copied),
    text,
    h('p', {}, h('code', { class: 'command' }, '$ sansim ctl save story.toml && sansim run story.toml')));
  box.addEventListener('close', () => URL.revokeObjectURL(file));
}

/** Copies a text; selects it where the page may not copy. */
async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return false;
  }
}
