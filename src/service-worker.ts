// The service worker: the page opens without a network once it has been visited. It keeps the page's own files; the model's are
// kept by whoever loads them (weights/store.ts). With a network the page is the server's newest.
import { setCacheNameDetails } from 'workbox-core';
import { PrecacheFallbackPlugin, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { NetworkOnly } from 'workbox-strategies';

/** What the page is made of; scripts/offline.mjs writes it in. `revision` is null where the name has the file's hash. */
declare const PAGE_FILES: { url: string; revision: string | null }[];

declare const self: { skipWaiting(): Promise<void> }; // TypeScript takes the file for a page's

/** After which a network that answers nothing counts as none. */
const patienceSeconds = 5;

setCacheNameDetails({ prefix: 'flipbook' }); // so that "Clear it" finds it
const page = new NetworkOnly({
  networkTimeoutSeconds: patienceSeconds,
  plugins: [new PrecacheFallbackPlugin({ fallbackURL: 'index.html' })],
});
registerRoute(new NavigationRoute(page, { allowlist: [/^\/(index\.html)?(\?|$)/] }));
precacheAndRoute(PAGE_FILES);
// At once: a page that is older than the model it last drew with would refuse that model. Open pages have all of their files.
void self.skipWaiting();
