import type { Plugin } from 'vite';
export function modelJson(): Plugin;
