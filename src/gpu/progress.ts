// How a long job tells how far it is. What remains of a whole generation is src/engine/progress.ts's.

/** Told as a job goes on: how much of how much is done. It can go back, where a download has to start again. */
export type OnProgress = (done: number, total: number) => void;
