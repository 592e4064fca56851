import { html } from '../html.ts';
import { selfContainedPage } from '../page.ts';
import type { CheckerMapping } from './browser/messages.ts';
import type { CheckerScripts } from './scripts.ts';

/**
 * A page that checks files by one mapping where it is opened, from any address, without a network: what it is given stays
 * in the browser. It holds the engine, the mapping (whoever has the page can read its rules) and nothing else.
 */
export function checkerPage(mapping: CheckerMapping, { page, worker }: CheckerScripts): string {
  const { name, stamp } = mapping;
  const body = html`<header>
<h1>Check a file before you send it: ${name}</h1>
<p>The file stays on this computer. This page works without a network, and can’t send anything.</p>
<p><label for="file">File to check, or drop it anywhere on this page: </label><input type="file" id="file"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
<p id="status" role="status"></p>
</header>
<main id="result"></main>
<footer><p class="more">${stamp}</p></footer>`;
  const data = JSON.stringify({ ...mapping, workerSource: worker });
  // No text may end the script's element (HTML, "Restrictions for contents of script elements").
  const script = `const CHECKER = ${data.replaceAll('<', '\\u003c')};\n${page}`;
  return selfContainedPage({ title: `Check ${name}`, body, script });
}
