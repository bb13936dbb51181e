// A Vite plugin: the built page's model card, model-card.html, made of the Markdown that lies beside the weights. Of the build
// alone: the dev server has no card.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { marked } from 'marked';
import { root } from './site.mjs';

/** @param {string} folder of the model, from the site's root. @returns {import('vite').Plugin} */
export function modelCard(folder) {
  return {
    name: 'model-card',
    apply: 'build',
    enforce: 'post', // once the page is there
    async generateBundle(_options, bundle) {
      const page = bundle['index.html'];
      const style = page?.type === 'asset' && String(page.source).match(/<link rel="stylesheet"[^>]*>/)?.[0];
      if (!style) return this.error('the page has no style sheet, which its model card shares');
      const card = await marked.parse(await readFile(join(root, 'public', folder, 'MODEL_CARD.md'), 'utf8'));
      this.emitFile({
        type: 'asset',
        fileName: 'model-card.html',
        source: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Flipbook: model card</title>
    ${style}
  </head>
  <body>
    <article class="page prose">
${card}
    </article>
  </body>
</html>
`,
      });
    },
  };
}
