// The forward processes that samplers are tested on.
import { createProcess, flowProcess, type Process } from '../../src/diffusion/schedule';

export const ddpm = createProcess({ schedule: 'linear', timesteps: 1000, betaStart: 1e-4, betaEnd: 0.02 });
export const processes: [string, Process][] = [
  ['DDPM', ddpm],
  [
    'Stable Diffusion',
    createProcess({ schedule: 'scaled-linear', timesteps: 1000, betaStart: 0.00085, betaEnd: 0.012 }),
  ],
  ['zero terminal SNR', createProcess({ schedule: 'cosine', timesteps: 1000, zeroTerminalSnr: true })],
  ['flow', flowProcess()],
  ['shifted flow', flowProcess(3)],
];
