// The samplers that there are, by name, for whoever offers, checks or runs them. What each does is src/diffusion/samplers.ts's.

export const samplerNames = ['ddpm', 'ddim', 'euler', 'euler-ancestral', 'dpmpp-2m', 'flow-euler', 'lcm'] as const;

export type SamplerName = (typeof samplerNames)[number];
