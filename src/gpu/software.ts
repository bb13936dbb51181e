// Tells software adapters from GPUs, before a device is opened. What is done differently there is its users' business.

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render/i;

/** A CPU behind the API (SwiftShader, llvmpipe, Windows' WARP), as far as the adapter tells. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const { vendor, architecture, device, description } = info;
  const isWarp = vendor === 'microsoft' && architecture === 'warp'; // Chrome names it by these alone
  return info.isFallbackAdapter || isWarp || softwareNames.test(`${vendor} ${architecture} ${device} ${description}`);
}
