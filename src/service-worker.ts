// The service worker: the page opens without a network once it has been visited. It keeps the page's own files; the model's are
// kept by whoever loads them (weights/store.ts). With a network the page is the server's newest.
import { setCacheNameDetails, type WorkboxPlugin } from 'workbox-core';
import { PrecacheFallbackPlugin, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { NetworkOnly } from 'workbox-strategies';

/** What the page is made of; scripts/offline.mjs writes it in. `revision` is null where the name has the file's hash. */
declare const PAGE_FILES: { url: string; revision: string | null }[];

declare const self: { skipWaiting(): Promise<void> }; // TypeScript takes the file for a page's

/** After which a network that answers nothing counts as none. */
const patienceSeconds = 5;

/** A server, or what stands before it, that is down and says so gives no page either. */
const orDown: WorkboxPlugin = {
  fetchDidSucceed: async ({ response }) => {
    if (response.status >= 500) throw new Error(`The server answered ${response.status}`);
    return response;
  },
};

setCacheNameDetails({ prefix: 'flipbook' }); // so that "Clear it" finds it
const page = new NetworkOnly({
  networkTimeoutSeconds: patienceSeconds,
  plugins: [orDown, new PrecacheFallbackPlugin({ fallbackURL: 'index.html' })],
});
registerRoute(new NavigationRoute(page, { allowlist: [/^\/(index\.html)?(\?|$)/] }));
precacheAndRoute(PAGE_FILES);
// At once: a page that is older than the model it last drew with would refuse that model. An open page loses what the older worker
// kept for it. It has its own files by then, but for the engine's script, should that have to start anew: then it asks to be reloaded.
void self.skipWaiting();
