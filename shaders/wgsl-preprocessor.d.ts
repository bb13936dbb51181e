// wgsl-preprocessor ships no types, and its bare name does not resolve: this is the file that works.
declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  export function wgsl(strings: TemplateStringsArray, ...values: readonly unknown[]): string;
}
