// Video encoders for tests: one with faults on request, which is no codec and gives one byte per frame, and one without H.264.

/** How an encoder behaves; `instance` counts from 0, and the ladder's trial is instance 0 when it goes well at once. */
export interface Behaviour {
  readonly supported?: (config: VideoEncoderConfig) => boolean;
  readonly configure?: (config: VideoEncoderConfig) => void;
  readonly encode?: (fake: FakeEncoder, frame: VideoFrame, index: number) => void;
  readonly flush?: (fake: FakeEncoder) => Promise<void>;
}

const behave = (instance: number, behaviours: readonly Behaviour[]) =>
  behaviours[Math.min(instance, behaviours.length - 1)]!;

/** Gives one byte per frame, at once. */
export class FakeEncoder extends EventTarget {
  static instances: FakeEncoder[] = [];
  static behaviours: readonly Behaviour[] = [{}];
  static async isConfigSupported(config: VideoEncoderConfig): Promise<VideoEncoderSupport> {
    const [behaviour] = FakeEncoder.behaviours;
    return { supported: behaviour?.supported?.(config) ?? true, config };
  }

  state: CodecState = 'unconfigured';
  encodeQueueSize = 0;
  config: VideoEncoderConfig | null = null;
  encoded = 0;
  given = 0;
  readonly init: VideoEncoderInit;
  readonly behaviour: Behaviour;

  constructor(init: VideoEncoderInit) {
    super();
    this.init = init;
    this.behaviour = behave(FakeEncoder.instances.length, FakeEncoder.behaviours);
    FakeEncoder.instances.push(this);
  }

  configure(config: VideoEncoderConfig): void {
    this.behaviour.configure?.(config);
    this.config = config;
    this.state = 'configured';
  }

  encode(frame: VideoFrame): void {
    const index = this.encoded++;
    if (this.behaviour.encode) this.behaviour.encode(this, frame, index);
    else this.give(index === 0 ? 'key' : 'delta', frame.timestamp);
  }

  /** The decoder configuration comes with the first chunk, as it should. */
  give(type: EncodedVideoChunkType, timestamp: number, withConfig = this.given++ === 0): void {
    const decoderConfig = {
      codec: this.config!.codec,
      description: Uint8Array.of(1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 0, 1, 0, 0),
    };
    const chunk = new EncodedVideoChunk({ type, timestamp, data: Uint8Array.of(1) });
    this.init.output(chunk, withConfig ? { decoderConfig } : {});
  }

  fail(message: string): void {
    this.state = 'closed';
    this.init.error(new DOMException(message, 'EncodingError'));
  }

  async flush(): Promise<void> {
    await this.behaviour.flush?.(this);
  }

  close(): void {
    this.state = 'closed';
  }
}

/** A VideoEncoder whose instances behave as told, the last behaviour for all later ones. */
export function fake(...behaviours: readonly Behaviour[]): typeof VideoEncoder {
  FakeEncoder.instances = [];
  FakeEncoder.behaviours = behaviours;
  return FakeEncoder as unknown as typeof VideoEncoder;
}

/** An encoder that has no H.264. */
export class OnlyVp9 extends VideoEncoder {
  static override async isConfigSupported(config: VideoEncoderConfig): Promise<VideoEncoderSupport> {
    return config.codec.startsWith('avc1') ? { supported: false, config } : VideoEncoder.isConfigSupported(config);
  }
}
