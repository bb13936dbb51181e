// The one thing that is changed in what a VP9 encoder gives: the name of its colours, where it names none.

const startOfKeyFrame = [0x49, 0x83, 0x42] as const;
const rec709 = 2;

/**
 * Names Rec. 709 in a key frame of profile 0 whose colour space is unknown, in place. Firefox's encoder leaves it so, whatever the
 * frames say; players go by the stream rather than by the file around it, and then take Rec. 601.
 * @param data a frame of VP9, as an encoder gives it (VP9 bitstream specification, 6.2 and 7.2.2)
 */
export function nameRec709(data: Uint8Array): void {
  const [header = 0, , , , colors = 0] = data;
  // Frame marker 2, profile 0, a new frame, a key frame.
  if (header >> 2 !== 0b100000 || startOfKeyFrame.some((byte, i) => data[1 + i] !== byte)) return;
  if (colors >> 5 === 0) data[4] = colors | (rec709 << 5);
}
