export function ffprobe(): string;
export function ffmpeg(): string;
export function exiftool(): string;
