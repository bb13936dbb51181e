// Tells software adapters from GPUs, before a device is opened. What is done differently there is its users' business.

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render/i;

/** A CPU behind the API (SwiftShader, llvmpipe), as far as the adapter tells. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const { vendor, architecture, device, description } = info;
  return info.isFallbackAdapter || softwareNames.test(`${vendor} ${architecture} ${device} ${description}`);
}
